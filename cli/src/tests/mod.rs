//! Tests of the commands through the story function.
