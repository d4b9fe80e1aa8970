"""TODO inspecting."""
