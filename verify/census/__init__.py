"""Census of upsets: each flip-flop of the core, in each cycle of a sample."""
