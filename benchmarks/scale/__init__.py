"""How the services carry more and more people when there are more of each.

The model's time is simulated: a picture takes as long as a setting says and costs no processor, as
if each generator had a GPU of its own. All else is the product: PostgreSQL, gRPC, XML, the bots,
and the sandbox as Telegram.
"""
