"""`abstractqa eval`: its arguments, and what each kind of measuring does.

Heavy imports stand inside the functions: no command waits for another's.
"""
