-- Finds the attempts of a post: whoever forgets posts asks for each whether it has any.
CREATE INDEX attempt_post ON attempt (post);
