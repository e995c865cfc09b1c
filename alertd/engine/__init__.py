"""What runs when: rounds, flushes and deliveries over the store, and the scheduler that wakes them."""
