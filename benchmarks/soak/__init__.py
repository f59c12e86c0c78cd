"""Photos keep coming while services are killed and frozen and Telegram has faults."""
