"""What the pixels show besides the patient: text, markers, air, borders."""
