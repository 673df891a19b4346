use super::HeaderName;

/// A header field that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {problem}")]
pub struct HeaderError {
    /// Which header.
    pub name: HeaderName,
    /// What is wrong with it.
    pub problem: HeaderProblem,
}

/// What is wrong with a header field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HeaderProblem {
    /// It must be there and is not.
    #[error("missing")]
    Missing,
    /// It breaks its grammar.
    #[error("malformed")]
    Malformed,
    /// A number is larger than allowed.
    #[error("out of range")]
    OutOfRange,
    /// It may stand there once only.
    #[error("repeated")]
    Repeated,
    /// It contradicts another part of the message.
    #[error("contradictory")]
    Contradictory,
}

impl HeaderError {
    /// A problem with a header.
    pub const fn new(name: HeaderName, problem: HeaderProblem) -> Self {
        HeaderError { name, problem }
    }

    pub(crate) const fn missing(name: HeaderName) -> Self {
        HeaderError::new(name, HeaderProblem::Missing)
    }

    pub(crate) const fn malformed(name: HeaderName) -> Self {
        HeaderError::new(name, HeaderProblem::Malformed)
    }
}
