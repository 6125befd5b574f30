-- What a trigger says as TokenPlatformInfo (RFC 6063 §8.2); NULL says nothing.
ALTER TABLE enrolment ADD COLUMN key_location TEXT CHECK (key_location IN ('hardware', 'software'));
ALTER TABLE enrolment ADD COLUMN algorithm_location TEXT CHECK (algorithm_location IN ('hardware', 'software'));
