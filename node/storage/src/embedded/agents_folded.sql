-- What a search looks into, ready to be compared: the owner with upper and lower case made alike. Emails and capabilities
-- are in lower case as they are. `fold` is this software's own, since SQLite's lower() knows ASCII only.
ALTER TABLE agents ADD COLUMN owner_folded TEXT NOT NULL DEFAULT '';
UPDATE agents SET owner_folded = fold(owner);
