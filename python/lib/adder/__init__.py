"""What Adder has beyond CircuitPython's own libraries: adder.mqtt."""
