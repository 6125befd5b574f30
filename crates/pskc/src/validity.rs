//! Whether a key may be used at a given time (RFC 6030 §§4.3.1 and 5).

use crate::{DateTime, KeyPackage};

/// Why the key of a package cannot be used at the time `at_unix_s`, by its policy or device, as clauses
/// about the key (`it …`).
pub fn validity_problems(package: &KeyPackage, at_unix_s: i64) -> impl Iterator<Item = &'static str> + use<> {
    let policy = package.key.as_ref().and_then(|key| key.policy.as_ref());
    let device = package.device_info.as_ref();
    let is_over = |date: Option<DateTime>| date.is_some_and(|date| date.unix_s() < at_unix_s);
    let is_to_come = |date: Option<DateTime>| date.is_some_and(|date| date.unix_s() > at_unix_s);
    let found = [
        is_over(policy.and_then(|it| it.expiry_date)).then_some("it has expired (ExpiryDate of its policy)"),
        is_to_come(policy.and_then(|it| it.start_date)).then_some("it is not valid yet (StartDate of its policy)"),
        is_over(device.and_then(|it| it.expiry_date)).then_some("its device has expired (ExpiryDate of DeviceInfo)"),
        is_to_come(device.and_then(|it| it.start_date))
            .then_some("its device is not valid yet (StartDate of DeviceInfo)"),
        policy
            .is_some_and(|policy| policy.number_of_transactions == Some(0))
            .then_some("its policy allows no use at all (NumberOfTransactions is 0)"),
    ];
    found.into_iter().flatten()
}
