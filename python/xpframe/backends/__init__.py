"""The libraries whose frames xpframe builds. Each is imported when a frame of it is asked for."""
