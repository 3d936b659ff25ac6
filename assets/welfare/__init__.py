"""The welfare room: surveys in, dated scorecards and scores out. Ranking, seats and filters are decisions."""
