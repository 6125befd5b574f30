//! Messages: accepted ones round-trip.
#![no_main]

use dskpp::message::{Request, Response, Trigger};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(request) = Request::read(data) {
        assert_eq!(Request::read(&request.write()), Ok(request));
    }
    if let Ok(mut response) = Response::read(data) {
        unsigned(&mut response);
        assert_eq!(Response::read(&response.write()), Ok(response));
    }
    if let Ok(trigger) = Trigger::read(data) {
        assert_eq!(Trigger::read(&trigger.write()), Ok(trigger));
    }
});

/// Signatures of key containers are not written.
fn unsigned(response: &mut Response) {
    if let Response::ServerFinished(finished) = response
        && let Some(body) = &mut finished.body
        && let Some(container) = body.key_package.content.container_mut()
    {
        container.signed = false;
    }
}
