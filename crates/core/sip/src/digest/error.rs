/// A challenge, or credentials, that cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DigestError {
    /// It breaks the grammar, repeats a parameter or is too long.
    #[error("malformed")]
    Malformed,
    /// A parameter that must be there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// It calls for what is not known: another scheme, algorithm or quality of protection.
    #[error("{0} is not supported")]
    Unsupported(&'static str),
}
