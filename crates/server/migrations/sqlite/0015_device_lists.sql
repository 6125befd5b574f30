-- Lists of devices of one manufacturer or serial number, page by page.
CREATE INDEX device_by_manufacturer ON device (manufacturer, id);
CREATE INDEX device_by_serial ON device (serial, id);
