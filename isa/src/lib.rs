//! Formats, configuration, instructions, timing, program file: the one definition everything else reads.
