-- Keys of the objects that the row's object names and that go with it, beside slices and their init segments; a JSON
-- array. NULL: they are called like it.
ALTER TABLE recording ADD COLUMN beside TEXT;
