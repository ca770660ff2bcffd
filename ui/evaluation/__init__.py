"""`abstractqa eval`: its arguments, and what each kind of measuring does."""
