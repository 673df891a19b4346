/// Longest name of a room, characters.
pub const MAX_ROOM_NAME: usize = 64;

/// Why a text cannot be the name of a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RoomNameError {
    /// Nothing there.
    #[error("a room needs a name")]
    Empty,
    /// More than [`MAX_ROOM_NAME`] characters.
    #[error("a room's name has at most {MAX_ROOM_NAME} characters")]
    TooLong,
    /// A blank, a control character or one without a shape.
    #[error("a room's name is made of visible characters; {0:?} is not one")]
    Invisible(char),
    /// `/` or `\`, or a name that a file system reads as "here" or "one up".
    #[error("a room's name must not read as a path: no '/', no '\\', neither '.' nor '..'")]
    Path,
}

/// Can `name` be the name of a room?
///
/// Names become part of URIs, file names and metrics labels, so: 1 to [`MAX_ROOM_NAME`] characters, all of
/// them visible, none of them a path separator.
///
/// # Errors
/// Says which of these rules it breaks.
pub fn check_room_name(name: &str) -> Result<(), RoomNameError> {
    if name.is_empty() {
        return Err(RoomNameError::Empty);
    }
    if name.chars().count() > MAX_ROOM_NAME {
        return Err(RoomNameError::TooLong);
    }
    if let Some(c) = name.chars().find(|c| !is_visible(*c)) {
        return Err(RoomNameError::Invisible(c));
    }
    if name.contains(['/', '\\']) || name == "." || name == ".." {
        return Err(RoomNameError::Path);
    }
    Ok(())
}

/// Zero-width and text-direction characters make two names look alike that are not.
fn is_visible(c: char) -> bool {
    let shapeless = matches!(
        c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}'
    );
    !c.is_control() && !c.is_whitespace() && !shapeless
}
