//! The sentences of the command line, by what they speak of.
