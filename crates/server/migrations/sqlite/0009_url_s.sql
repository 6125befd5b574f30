-- The URL_S at which a key was made: its token takes a renewal there, and asks about any other (profile P29).
ALTER TABLE key ADD COLUMN url_s TEXT;
ALTER TABLE pending_key ADD COLUMN url_s TEXT;
