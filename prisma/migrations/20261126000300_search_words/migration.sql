-- The user's own words, for the correction of typing errors (design section 5): what a query could have meant.
CREATE TABLE search_words (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  -- As written, lower case, without accents; a word and not its stem.
  -- Compared byte by byte, which takes half the time of a language's order, and no order is shown.
  word varchar(40) COLLATE "C" NOT NULL,
  PRIMARY KEY (user_id, word)
);
CREATE INDEX idx_search_words_trigrams ON search_words USING gin (user_id, word gin_trgm_ops)
  -- Each search reads the list of what is not sorted in yet, so it is kept short.
  WITH (gin_pending_list_limit = 256);

-- What a document has lost by a change, or with the file itself, until forget_lost_words() has looked whether another
-- document still holds it. A row per change, for every hundred words, and not a mark on each word: that would write the
-- word's index entries again, and changes of one library would wait for each other.
CREATE TABLE lost_words (
  user_id uuid NOT NULL REFERENCES users (id) ON DELETE CASCADE,
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  words text[] NOT NULL CHECK (cardinality(words) BETWEEN 1 AND 100),
  PRIMARY KEY (user_id, id)
);

-- Words as they are written: what the text search's parser calls a word or a part of a compound, with or without digits,
-- in lower case. No stems, no stop words taken out; no numbers, addresses and file names.
CREATE TEXT SEARCH CONFIGURATION words_as_written (PARSER = "default");
ALTER TEXT SEARCH CONFIGURATION words_as_written
  ADD MAPPING FOR asciiword, word, numword, hword_asciipart, hword_part, hword_numpart WITH simple;

-- The words of a text, each once, sorted (so that two writers of the same words cannot deadlock).
-- Bound: the first 5,000 different words; who says more has said them many times.
CREATE FUNCTION words_of(content text) RETURNS text[]
  LANGUAGE sql STABLE PARALLEL SAFE
  AS $$
  SELECT coalesce(array_agg(w.lexeme ORDER BY w.lexeme COLLATE "C"), '{}')
  FROM (
    SELECT t.lexeme
    FROM unnest(to_tsvector('public.words_as_written', public.unaccent(content))) AS t
    WHERE char_length(t.lexeme) BETWEEN 3 AND 40
    ORDER BY t.positions[1]
    LIMIT 5000
  ) w
$$;

-- The texts that refresh_search_doc() makes a file's document of, cut where it cuts them, one per weight.
CREATE FUNCTION search_parts(media media_files) RETURNS text[]
  LANGUAGE sql STABLE
  AS $$
  SELECT ARRAY[
    concat_ws(' . ', media.title, filename_words(media.original_filename)),
    concat_ws(' . ', array_to_string(media.tags, ' . '), array_to_string(media.categories, ' . '),
      (SELECT string_agg(label ->> 'name', ' . ') FROM jsonb_array_elements(media.detected_labels) AS label)),
    concat_ws(' . ', media.ai_summary, media_facts(media.exif)),
    left(concat_ws(' . ', array_to_string(media.detected_text, ' . '), media.transcription_text), 300000)]
$$;

-- Parses only the parts that the change touched: a new tag does not read the transcript again.
CREATE FUNCTION collect_search_words() RETURNS trigger
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  AS $$
DECLARE
  owner_id uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.user_id ELSE NEW.user_id END;
  parts_before text[] := '{}';
  parts_after text[] := '{}';
  before text;
  after text;
  words_after text[];
  words_lost text[];
BEGIN
  IF TG_OP <> 'INSERT' AND OLD.deleted_at IS NULL THEN parts_before := search_parts(OLD); END IF;
  IF TG_OP <> 'DELETE' AND NEW.deleted_at IS NULL THEN parts_after := search_parts(NEW); END IF;
  SELECT string_agg(p.before, ' . '), string_agg(p.after, ' . ') INTO before, after
  FROM unnest(parts_before, parts_after) AS p(before, after) WHERE p.before IS DISTINCT FROM p.after;
  IF before IS NULL AND after IS NULL THEN RETURN NULL; END IF;
  words_after := words_of(after);
  words_lost := ARRAY(SELECT unnest(words_of(before)) EXCEPT SELECT unnest(words_after));
  -- Against forget_lost_words(), which must not take away a word that is being written here. Shared: writers of one
  -- library do not wait for each other.
  PERFORM pg_advisory_xact_lock_shared(hashtext('search_words'), hashtext(owner_id::text));
  -- Most words are there already, and to look is cheaper than to run into them.
  INSERT INTO search_words (user_id, word)
  SELECT owner_id, a.word FROM unnest(words_after) AS a(word)
  WHERE NOT EXISTS (SELECT 1 FROM search_words w WHERE w.user_id = owner_id AND w.word = a.word)
  ORDER BY a.word COLLATE "C"
  ON CONFLICT DO NOTHING;
  INSERT INTO lost_words (user_id, words)
  -- No user: gone already, when the file goes with the account.
  SELECT u.id, words_lost[n : n + 99] FROM users u, generate_series(1, cardinality(words_lost), 100) AS n
  WHERE u.id = owner_id;
  RETURN NULL;
END;
$$;
CREATE TRIGGER collect_search_words_after_change
  AFTER INSERT OR UPDATE OF title, original_filename, tags, categories, detected_labels, ai_summary, exif, detected_text,
    transcription_text, deleted_at ON media_files
  FOR EACH ROW EXECUTE FUNCTION collect_search_words();
CREATE TRIGGER collect_search_words_after_delete
  AFTER DELETE ON media_files
  FOR EACH ROW WHEN (OLD.deleted_at IS NULL) EXECUTE FUNCTION collect_search_words();

-- Looks after lost words of one user: those that no document holds any more are removed. A document holds a word when
-- the word's stem finds it, so that what is left in search_words always leads somewhere.
-- Takes up to max_rows rows of lost_words. Gives the number of rows looked at (0: nothing is due) and of words removed;
-- call it until nothing is due.
CREATE FUNCTION forget_lost_words(max_rows integer)
  RETURNS TABLE (looked_at integer, removed integer)
  LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  -- Always the GIN index: for one word the planner would rather read a user's documents until one fits, and for a word
  -- that is gone that means all of them.
  SET enable_seqscan = off SET enable_indexscan = off
  -- Not a notice for each stop word.
  SET client_min_messages = warning
  AS $$
DECLARE
  owner_id uuid := (SELECT l.user_id FROM lost_words l LIMIT 1);
  configs regconfig[];
  doubtful text[];
  lost_word text;
BEGIN
  looked_at := 0;
  removed := 0;
  IF owner_id IS NOT NULL THEN
    PERFORM pg_advisory_xact_lock(hashtext('search_words'), hashtext(owner_id::text));
    configs := ARRAY(SELECT DISTINCT d.config FROM search_docs d WHERE d.user_id = owner_id);
    WITH due AS (
      DELETE FROM lost_words l WHERE l.user_id = owner_id AND l.id IN (
        SELECT o.id FROM lost_words o WHERE o.user_id = owner_id LIMIT greatest(max_rows, 1))
      RETURNING l.words
    )
    SELECT (SELECT count(*) FROM due), ARRAY(SELECT DISTINCT unnest(due.words) FROM due) INTO looked_at, doubtful;
    FOREACH lost_word IN ARRAY doubtful LOOP
      CONTINUE WHEN EXISTS (
        SELECT 1 FROM unnest(configs) AS c(config)
        JOIN search_docs d ON d.user_id = owner_id AND d.config = c.config
          AND d.tsv @@ plainto_tsquery(c.config, lost_word));
      DELETE FROM search_words w WHERE w.user_id = owner_id AND w.word = lost_word;
      IF FOUND THEN removed := removed + 1; END IF;
    END LOOP;
  END IF;
  RETURN NEXT;
END;
$$;

-- The user's own words that share trigrams with a term, most alike first. Like search_documents(): an ordinary query
-- could not use the index under a policy (% is not leakproof), so the function runs as search_reader and takes the user
-- from the transaction's setting, never as an argument.
-- The threshold: n letters make n + 1 trigrams, and two swapped letters spoil four of them, so that n - 3 of n + 5 are
-- left in common: 1/9 for n = 4, 2/10 for n = 5, 3/11 for n = 6. Words that are longer or shorter by more letters than
-- a typing error makes would only take the places of others.
DO $$ BEGIN PERFORM similarity('', ''); END $$; -- loads pg_trgm, which makes its parameter known
CREATE FUNCTION similar_words(term text, max_rows integer)
  RETURNS TABLE (word text, similarity real)
  LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp
  -- Set again below, by length; named here so that the caller's value comes back.
  SET pg_trgm.similarity_threshold = 0.25
  -- To compare by trigrams takes some microseconds, of which the planner does not know: it would rather compare all words
  -- of the user than step into the trigram index.
  SET cpu_operator_cost = 0.1 SET random_page_cost = 1 SET plan_cache_mode = force_custom_plan
  AS $$
DECLARE
  wanted text := lower(unaccent(left(term, 40)));
  letters integer := char_length(wanted);
  -- What the callers take for a typing error: one edit in a short word, two in others.
  max_edits integer := CASE WHEN letters <= 5 THEN 1 ELSE 2 END;
BEGIN
  PERFORM set_config('pg_trgm.similarity_threshold',
    CASE WHEN letters <= 4 THEN '0.11' WHEN letters = 5 THEN '0.19' ELSE '0.25' END, true);
  RETURN QUERY
  SELECT w.word::text, public.similarity(w.word, wanted)
  FROM search_words w
  WHERE w.user_id = (SELECT app_user_id()) AND w.word % wanted
    AND char_length(w.word) BETWEEN letters - max_edits AND letters + max_edits
  ORDER BY 2 DESC, 1
  LIMIT least(greatest(max_rows, 1), 1000);
END;
$$;

-- Words of what is there already. The owner is bound by the policies as well (FORCE), and has none: for this one
-- statement it is not. In one block, so that nothing can be left open half-way.
DO $$
BEGIN
  EXECUTE 'ALTER TABLE media_files NO FORCE ROW LEVEL SECURITY';
  INSERT INTO search_words (user_id, word)
  SELECT m.user_id, w.word
  FROM media_files m CROSS JOIN LATERAL unnest(words_of(array_to_string(search_parts(m), ' . '))) AS w(word)
  WHERE m.deleted_at IS NULL
  ON CONFLICT DO NOTHING;
  EXECUTE 'ALTER TABLE media_files FORCE ROW LEVEL SECURITY';
END $$;

DO $$
DECLARE table_name text;
BEGIN
  FOREACH table_name IN ARRAY ARRAY['search_words', 'lost_words'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', table_name);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', table_name);
    EXECUTE format(
      'CREATE POLICY %I ON %I FOR ALL TO app_user USING (user_id = (SELECT app_user_id())) WITH CHECK (user_id = (SELECT app_user_id()))',
      table_name || '_user_policy', table_name);
    EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO app_admin USING (true) WITH CHECK (true)', table_name || '_admin_policy', table_name);
    EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO app_system USING (true) WITH CHECK (true)', table_name || '_system_policy', table_name);
    EXECUTE format('CREATE POLICY %I ON %I FOR ALL TO app_definer USING (true) WITH CHECK (true)', table_name || '_definer_policy', table_name);
  END LOOP;
END $$;
CREATE POLICY search_words_reader_policy ON search_words FOR SELECT TO search_reader USING (true);

-- Written by the triggers alone. Neither administrators nor the system have a use for anybody's words.
GRANT SELECT ON search_words TO app_user, search_reader;
GRANT SELECT, INSERT, DELETE ON search_words, lost_words TO app_definer;

GRANT CREATE ON SCHEMA public TO app_definer, search_reader;
ALTER FUNCTION collect_search_words() OWNER TO app_definer;
ALTER FUNCTION forget_lost_words(integer) OWNER TO app_definer;
ALTER FUNCTION similar_words(text, integer) OWNER TO search_reader;
REVOKE CREATE ON SCHEMA public FROM app_definer, search_reader;
REVOKE EXECUTE ON FUNCTION collect_search_words(), forget_lost_words(integer), similar_words(text, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION similar_words(text, integer) TO app_user;
GRANT EXECUTE ON FUNCTION forget_lost_words(integer) TO app_system;
