-- The generators' queue, beside dbservice's rows.
CREATE DATABASE jobs OWNER lookalike;
