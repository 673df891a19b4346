//! The focus policy of a conference: roster and admission.
