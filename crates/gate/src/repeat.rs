//! Says a trouble once, and how often it came again when it is over.
//!
//! In:    causes as they come, in words. Out: whether to say this one.
//! Never: holds more than the last cause; a gate with a wrong token would fill a disk with one
//!        line.

/// The last trouble and how often it came again unsaid.
#[derive(Debug, Default)]
pub(crate) struct Repeat {
    cause: Option<String>,
    unsaid: u64,
}

/// A trouble that was said, and is over or another now.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Past {
    /// In words.
    pub(crate) cause: String,
    /// How often it came again after it was said.
    pub(crate) again: u64,
}

impl Repeat {
    /// Takes a trouble; whether it is another than the last.
    pub(crate) fn is_news(&mut self, cause: &str) -> bool {
        if self.cause.as_deref() == Some(cause) {
            self.unsaid += 1;
            return false;
        }
        self.cause = Some(cause.to_owned());
        self.unsaid = 0;
        true
    }

    /// It goes well again; what there was before, if anything.
    pub(crate) fn over(&mut self) -> Option<Past> {
        let cause = self.cause.take()?;
        let again = std::mem::take(&mut self.unsaid);
        Some(Past { cause, again })
    }
}

#[cfg(test)]
mod tests;
