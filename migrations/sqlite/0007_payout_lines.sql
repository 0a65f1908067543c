-- +goose Up

-- That no two lines of a payout have one key is looked at once when all of them are there: checking
-- it line by line took more than half of an import's time.
drop index payout_lines_once;
