"""The tables of the bare handlers on SQLite."""

TABLES = """
DROP TABLE IF EXISTS bare_user;
DROP TABLE IF EXISTS bare_key;
DROP TABLE IF EXISTS bare_member;
DROP TABLE IF EXISTS bare_event;
CREATE TABLE bare_user (id text PRIMARY KEY, version int NOT NULL, document text NOT NULL);
CREATE TABLE bare_key (attribute text, key text, id text NOT NULL, PRIMARY KEY (attribute, key));
CREATE TABLE bare_member (group_id text, user_id text, PRIMARY KEY (group_id, user_id));
CREATE TABLE bare_event (id text PRIMARY KEY, document text NOT NULL);
"""
