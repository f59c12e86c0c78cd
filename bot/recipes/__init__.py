"""What a picture is made of: the dial, styles, words, and the prompt that follows from them."""
