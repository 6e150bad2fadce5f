//! What it costs to live without Redis.
