//! Pages for people: what they have in common. [`html`] fills templates, [`language`] has their texts, [`portal`] what
//! they say about the operator, and [`token_app`] is the token in the browser.

pub(crate) mod html;
pub(crate) mod language;
pub(crate) mod portal;
pub(crate) mod token_app;
