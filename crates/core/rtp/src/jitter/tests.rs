use super::*;

mod decisions;
mod hostile;
mod journeys;
mod line;
