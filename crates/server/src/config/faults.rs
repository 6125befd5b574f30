//! What is wrong with a configuration.

/// One fault in the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFault {
    /// `section.key`, or the file.
    pub key: String,
    /// The value as given.
    pub value: String,
    /// The fault and its remedy.
    pub remedy: String,
    /// Where the key was set: file and line, or environment variable. See [`ConfigError::located`].
    pub place: Option<String>,
}

impl ConfigFault {
    pub(crate) fn new(key: impl ToString, value: impl ToString, remedy: impl ToString) -> Self {
        ConfigFault { key: key.to_string(), value: value.to_string(), remedy: remedy.to_string(), place: None }
    }
}

impl std::fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let ConfigFault { key, value, remedy, place } = self;
        if let Some(place) = place {
            write!(f, "{place}: ")?;
        }
        if !key.is_empty() {
            write!(f, "{key} = {value}: ")?;
        }
        f.write_str(remedy)
    }
}

/// All faults of a configuration, found in one pass.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError(pub Vec<ConfigFault>);

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("invalid configuration:")?;
        self.0.iter().try_for_each(|fault| write!(f, "\n  {fault}"))
    }
}

impl std::error::Error for ConfigError {}
