//! Lines of commands, as mail's protocols have them.
//!
//! In:    what was read. Out: [`Line`], taken from its front.
//! Never: takes anything but CR LF for a line end.

use super::COMMAND_SIZE_MAX;

/// The front of what was read.
pub(super) enum Line {
    Whole(Vec<u8>),
    Unfinished,
    Bad,
}

/// Takes a line.
pub(super) fn line(input: &mut Vec<u8>) -> Line {
    let Some(end) = input.iter().position(|b| matches!(b, b'\r' | b'\n' | 0)) else {
        return match input.len() > COMMAND_SIZE_MAX {
            true => Line::Bad,
            false => Line::Unfinished,
        };
    };
    match (input[end], input.get(end + 1)) {
        _ if end > COMMAND_SIZE_MAX => Line::Bad,
        (b'\r', None) => Line::Unfinished,
        (b'\r', Some(b'\n')) => {
            let line = input[..end].to_vec();
            input.drain(..end + 2);
            Line::Whole(line)
        }
        _ => Line::Bad,
    }
}
