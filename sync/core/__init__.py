"""The pure heart: text to records, records to decisions. No file, no network, no clock."""
