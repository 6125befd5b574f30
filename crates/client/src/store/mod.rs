//! Where tokens live: the trait [`TokenStore`], and [`FileStore`], an encrypted file.

mod error;
mod file;
mod platform;
mod sealed;

use dskpp_token::{Otp, OtpInput, Runs, TokenError, Tokens};

pub use error::TokenStoreError;
pub use file::{FileStore, Unlock};

/// Where tokens live, and the notes of unfinished enrolments.
///
/// Keep both secret. Each is replaced as a whole: after a crash, the store has either the old or the new one.
///
/// ```
/// use dskpp_client::{Runs, TokenError, TokenStore, TokenStoreError, Tokens};
///
/// /// Forgets everything when the program ends.
/// #[derive(Default)]
/// struct Memory(Tokens, Runs);
///
/// impl TokenStore for Memory {
///     fn load(&self) -> Result<Tokens, TokenStoreError> {
///         Ok(self.0.clone())
///     }
///
///     fn change<T>(&mut self, work: impl FnOnce(&mut Tokens) -> Result<T, TokenError>) -> Result<T, TokenStoreError> {
///         let mut tokens = self.0.clone();
///         let done = work(&mut tokens)?;
///         self.0 = tokens;
///         Ok(done)
///     }
///
///     fn load_runs(&self) -> Result<Runs, TokenStoreError> {
///         Ok(self.1.clone())
///     }
///
///     fn change_runs(&mut self, work: impl FnOnce(&mut Runs)) -> Result<(), TokenStoreError> {
///         work(&mut self.1);
///         Ok(())
///     }
/// }
/// assert!(Memory::default().change(|tokens| tokens.rename("K1", None)).is_err());
/// ```
pub trait TokenStore {
    /// The tokens as they are now.
    fn load(&self) -> Result<Tokens, TokenStoreError>;

    /// Loads the tokens, lets `work` change them, saves them, and only then returns what `work` returned. Saves nothing
    /// if `work` fails. No other process changes the tokens meanwhile.
    fn change<T>(&mut self, work: impl FnOnce(&mut Tokens) -> Result<T, TokenError>) -> Result<T, TokenStoreError>;

    /// The notes of unfinished enrolments.
    fn load_runs(&self) -> Result<Runs, TokenStoreError>;

    /// The same as [`change`](Self::change) for these notes. Unreadable notes count as none.
    fn change_runs(&mut self, work: impl FnOnce(&mut Runs)) -> Result<(), TokenStoreError>;

    /// The next one-time password of the token that [`Tokens::find`] finds. Its moved counter and counted use are saved
    /// before it is returned: a crash may lose a code, but no code is ever shown twice, not by two processes either.
    fn otp(&mut self, name: &str, input: &OtpInput<'_>) -> Result<Otp, TokenStoreError> {
        let tokens = self.load()?;
        let token = tokens.find(name)?;
        let (used, otp) = token.otp(input)?;
        match used == *token {
            true => Ok(otp),
            false => self.change(|tokens| tokens.otp(&used.id, input)),
        }
    }
}
