// Preload: what every test run starts with.
