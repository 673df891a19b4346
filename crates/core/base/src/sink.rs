use std::collections::VecDeque;

/// Where a state machine puts its output.
///
/// It is handed in with every input, so that no output can be left behind undrained.
pub trait Sink<T> {
    /// Takes one item; never fails and never blocks.
    fn emit(&mut self, item: T);
}

impl<T> Sink<T> for Vec<T> {
    fn emit(&mut self, item: T) {
        self.push(item);
    }
}

impl<T> Sink<T> for VecDeque<T> {
    fn emit(&mut self, item: T) {
        self.push_back(item);
    }
}

impl<T, S: Sink<T> + ?Sized> Sink<T> for &mut S {
    fn emit(&mut self, item: T) {
        (**self).emit(item);
    }
}
