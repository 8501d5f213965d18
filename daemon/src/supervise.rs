//! Starts the parts, hands each its own small values, stops them.
