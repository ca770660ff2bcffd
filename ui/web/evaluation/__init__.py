"""The evaluation tab: past runs, how they went over time, and one against another."""
