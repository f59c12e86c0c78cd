BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0002');
CREATE TABLE generations (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	id VARCHAR(36) NOT NULL, 
	photo_id VARCHAR(36) NOT NULL, 
	n BIGINT NOT NULL, 
	state VARCHAR(16) NOT NULL, 
	prompt VARCHAR NOT NULL, 
	negative_prompt VARCHAR NOT NULL, 
	preset VARCHAR NOT NULL, 
	width BIGINT, 
	height BIGINT, 
	steps BIGINT, 
	guidance_scale DOUBLE, 
	seed BIGINT, 
	status_after BIGINT, 
	status_message_id BIGINT, 
	delivery_intended BOOLEAN NOT NULL, 
	result_message_id BIGINT, 
	user_notified BOOLEAN NOT NULL, 
	image_media_type VARCHAR, 
	image_width BIGINT, 
	image_height BIGINT, 
	image_size BIGINT, 
	image_sha256 VARCHAR, 
	picture_seed BIGINT, 
	picture_model VARCHAR, 
	picture_file_id VARCHAR, 
	error_code VARCHAR, 
	error_message VARCHAR, 
	created_at DATETIME NOT NULL, 
	closed_at DATETIME, 
	lease_holder VARCHAR, 
	lease_expires_at DATETIME, 
	fence BIGINT NOT NULL, image_key VARCHAR, 
	UNIQUE (photo_id, n), 
	UNIQUE (id), 
	FOREIGN KEY(photo_id) REFERENCES photos (id)
);
INSERT INTO "generations" VALUES(1,'335c9900-89ac-5e67-9f3f-950b4c77a260','9cdfc9d4-4306-5299-a12a-eb8e4558ecd0',0,'received','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-29 12:00:00.000000',NULL,'here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(2,'f5b06621-5bf1-5a99-9aef-6c167154bcb5','2633ecb2-bd6a-571b-bdea-aa00e0755f76',0,'stored','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-29 12:00:00.000000',NULL,'here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(3,'e5fafa4b-f68e-587b-ad33-002732efa7c4','cfdc1bc3-ba76-57dd-a71e-d3c8e1d889b4',0,'captioned','a cat on a sofa','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-29 12:00:00.000000',NULL,'here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(4,'ffc78fd7-e5b1-56fd-a950-e60e0926177d','5f6f2757-dfee-5ec6-9718-f42ef1863689',0,'queued','a cat on a sofa','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-29 12:00:00.000000',NULL,'here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(5,'2893e4b6-aa06-55b3-96c2-d55ad06e3114','8530e0a6-220e-5f9b-90c9-c11ab9983a8a',0,'running','a cat on a sofa','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-29 12:00:00.000000',NULL,'here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(6,'42dd181b-5b07-54b8-8996-fbf7031508d6','fee24aee-0a88-5784-99ac-ff837bc84ced',0,'finished','a cat on a sofa','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,'image/png',8,6,9,'92b2fa58028958317e408bd84ecfa70f5ee35b121991dbc232c49d166353708b',7,'emoji','',NULL,NULL,'2026-11-29 12:00:00.000000',NULL,'here','2026-11-29 12:00:30.000000',1,'4/42dd181b-5b07-54b8-8996-fbf7031508d6-1-85eb2ad8');
INSERT INTO "generations" VALUES(7,'ad5aa03f-9fa6-5d4f-bf48-9c204a449982','bd93dc16-dd11-531b-975d-ff4fd85baee7',0,'failed','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'broken','','2026-11-29 12:00:00.000000',NULL,'here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(8,'8f5f4d4c-7895-51ec-9f43-1e5325f628ec','9940c904-28c1-5100-a9b0-7d2bf245f49d',0,'refused','a cat on a sofa','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'unsafe','','2026-11-29 12:00:00.000000',NULL,'here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(9,'ce8bd33b-4d71-5216-8d30-ea7ae2877eb6','e97ced08-dcee-5d2a-b598-80544dea6b07',0,'cancelled','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-29 12:00:00.000000',NULL,'here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(10,'610eca77-db16-59bd-a12a-35238ea4abdb','5734d40c-452d-534c-8931-49bfae0e480c',0,'delivered','a cat on a sofa','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,'image/png',8,6,9,'92b2fa58028958317e408bd84ecfa70f5ee35b121991dbc232c49d166353708b',7,'emoji','',NULL,NULL,'2026-11-29 12:00:00.000000',NULL,'here','2026-11-29 12:00:30.000000',1,'6/610eca77-db16-59bd-a12a-35238ea4abdb-1-44a3323a');
INSERT INTO "generations" VALUES(11,'82ea5917-f0f2-5145-bcd4-1cbd6b6b40d7','8d4fc88a-97ea-53e7-bc31-3d0e4ec28196',0,'undeliverable','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'blocked','','2026-11-29 12:00:00.000000',NULL,'here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(12,'114c4f11-6a91-5691-ac04-7ab771971f17','fad44358-7265-57f8-832b-b424efe74d78',0,'delivered','a cat on a sofa','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,'image/png',8,6,9,'92b2fa58028958317e408bd84ecfa70f5ee35b121991dbc232c49d166353708b',7,'emoji','',NULL,NULL,'2026-11-29 12:00:00.000000','2026-11-29 12:00:00.000000','here','2026-11-29 12:00:30.000000',1,'1/114c4f11-6a91-5691-ac04-7ab771971f17-1-4e99be97');
INSERT INTO "generations" VALUES(13,'a0470d2d-b03e-5e18-bb4a-e5e5eeaffcd0','622a953a-5a57-510b-8c8e-53e436ef10e2',0,'failed','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'broken','','2026-11-29 12:00:00.000000','2026-11-29 12:00:00.000000','here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(14,'571d5551-f9b1-5fef-a47c-9c2dfaf048e0','95ce3318-98c7-5ccc-b2d8-cb70e3a70c83',0,'refused','a cat on a sofa','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'unsafe','','2026-11-29 12:00:00.000000','2026-11-29 12:00:00.000000','here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(15,'bcd1a4f5-b64a-57ba-ba33-794a0cba7978','9faab748-ea16-5cbc-a8ea-7974a7ab1e15',0,'cancelled','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-29 12:00:00.000000','2026-11-29 12:00:00.000000','here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(16,'6a8df632-fb0c-579f-b99d-6fdec644eec5','83465ccd-e19e-5095-8c58-f9f31117db3c',0,'undeliverable','','','',NULL,NULL,NULL,NULL,NULL,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'blocked','','2026-11-29 12:00:00.000000','2026-11-29 12:00:00.000000','here','2026-11-29 12:00:30.000000',1,NULL);
INSERT INTO "generations" VALUES(17,'70b6c5f1-5cbd-590e-93ac-0d108a6bfdcf','e51c0ef3-4fbb-55ac-afb9-b9020fe2ec12',0,'delivered','a cat on a sofa','','',NULL,NULL,NULL,NULL,NULL,NULL,6,0,7,0,'image/png',8,6,9,'92b2fa58028958317e408bd84ecfa70f5ee35b121991dbc232c49d166353708b',7,'emoji','sent',NULL,NULL,'2026-11-29 12:00:00.000000','2026-11-29 12:00:00.000000','here','2026-11-29 12:00:30.000000',1,'7/70b6c5f1-5cbd-590e-93ac-0d108a6bfdcf-1-7914b683');
INSERT INTO "generations" VALUES(18,'3e19e504-2aef-522b-8ffa-3ac7cf77e0d9','e51c0ef3-4fbb-55ac-afb9-b9020fe2ec12',1,'captioned','a dog','blurry','',512,NULL,NULL,NULL,3,NULL,NULL,0,NULL,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'2026-11-29 12:00:00.000000',NULL,NULL,NULL,0,NULL);
CREATE TABLE pending_deletions (
	"key" VARCHAR NOT NULL, 
	PRIMARY KEY ("key")
);
CREATE TABLE photos (
	id VARCHAR(36) NOT NULL, 
	bot_id BIGINT NOT NULL, 
	chat_id BIGINT NOT NULL, 
	message_id BIGINT NOT NULL, 
	user_id BIGINT NOT NULL, 
	language_code VARCHAR NOT NULL, 
	file_id VARCHAR NOT NULL, 
	file_size BIGINT NOT NULL, 
	user_text VARCHAR NOT NULL, 
	received_at DATETIME NOT NULL, 
	image_media_type VARCHAR, 
	image_width BIGINT, 
	image_height BIGINT, 
	image_size BIGINT, 
	image_sha256 VARCHAR, 
	caption_text VARCHAR, 
	caption_confidence DOUBLE, 
	caption_captioner VARCHAR, 
	caption_model VARCHAR, 
	caption_message_id BIGINT, image_key VARCHAR, 
	PRIMARY KEY (id)
);
INSERT INTO "photos" VALUES('9cdfc9d4-4306-5299-a12a-eb8e4558ecd0',1,-100,1,1,'en','file-1',1234,'look','2026-11-29 12:00:00.000000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "photos" VALUES('2633ecb2-bd6a-571b-bdea-aa00e0755f76',1,-100,2,2,'en','file-2',1234,'look','2026-11-29 12:00:00.000000','image/png',8,6,7,'d4e24d749a4fe2f161af2de913c0402b04e3ae287dafd0f9dbfa4a5c56c69285',NULL,NULL,NULL,NULL,NULL,'f/f5b06621-5bf1-5a99-9aef-6c167154bcb5-1-9667a4f1');
INSERT INTO "photos" VALUES('cfdc1bc3-ba76-57dd-a71e-d3c8e1d889b4',1,-100,3,3,'en','file-3',1234,'look','2026-11-29 12:00:00.000000','image/png',8,6,7,'d4e24d749a4fe2f161af2de913c0402b04e3ae287dafd0f9dbfa4a5c56c69285','a cat on a sofa',0.5,'offline','m-1',NULL,'e/e5fafa4b-f68e-587b-ad33-002732efa7c4-1-23cd299c');
INSERT INTO "photos" VALUES('5f6f2757-dfee-5ec6-9718-f42ef1863689',1,-100,4,4,'en','file-4',1234,'look','2026-11-29 12:00:00.000000','image/png',8,6,7,'d4e24d749a4fe2f161af2de913c0402b04e3ae287dafd0f9dbfa4a5c56c69285','a cat on a sofa',0.5,'offline','m-1',NULL,'f/ffc78fd7-e5b1-56fd-a950-e60e0926177d-1-ebdcce5e');
INSERT INTO "photos" VALUES('8530e0a6-220e-5f9b-90c9-c11ab9983a8a',1,-100,5,5,'en','file-5',1234,'look','2026-11-29 12:00:00.000000','image/png',8,6,7,'d4e24d749a4fe2f161af2de913c0402b04e3ae287dafd0f9dbfa4a5c56c69285','a cat on a sofa',0.5,'offline','m-1',NULL,'2/2893e4b6-aa06-55b3-96c2-d55ad06e3114-1-9be7524f');
INSERT INTO "photos" VALUES('fee24aee-0a88-5784-99ac-ff837bc84ced',1,-100,6,6,'en','file-6',1234,'look','2026-11-29 12:00:00.000000','image/png',8,6,7,'d4e24d749a4fe2f161af2de913c0402b04e3ae287dafd0f9dbfa4a5c56c69285','a cat on a sofa',0.5,'offline','m-1',NULL,'4/42dd181b-5b07-54b8-8996-fbf7031508d6-1-de4b0628');
INSERT INTO "photos" VALUES('bd93dc16-dd11-531b-975d-ff4fd85baee7',1,-100,7,7,'en','file-7',1234,'look','2026-11-29 12:00:00.000000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "photos" VALUES('9940c904-28c1-5100-a9b0-7d2bf245f49d',1,-100,8,8,'en','file-8',1234,'look','2026-11-29 12:00:00.000000','image/png',8,6,7,'d4e24d749a4fe2f161af2de913c0402b04e3ae287dafd0f9dbfa4a5c56c69285','a cat on a sofa',0.5,'offline','m-1',NULL,'8/8f5f4d4c-7895-51ec-9f43-1e5325f628ec-1-7bf01c7e');
INSERT INTO "photos" VALUES('e97ced08-dcee-5d2a-b598-80544dea6b07',1,-100,9,9,'en','file-9',1234,'look','2026-11-29 12:00:00.000000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "photos" VALUES('5734d40c-452d-534c-8931-49bfae0e480c',1,-100,10,10,'en','file-10',1234,'look','2026-11-29 12:00:00.000000','image/png',8,6,7,'d4e24d749a4fe2f161af2de913c0402b04e3ae287dafd0f9dbfa4a5c56c69285','a cat on a sofa',0.5,'offline','m-1',NULL,'6/610eca77-db16-59bd-a12a-35238ea4abdb-1-20679c3c');
INSERT INTO "photos" VALUES('8d4fc88a-97ea-53e7-bc31-3d0e4ec28196',1,-100,11,11,'en','file-11',1234,'look','2026-11-29 12:00:00.000000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "photos" VALUES('fad44358-7265-57f8-832b-b424efe74d78',1,-100,12,12,'en','file-12',1234,'look','2026-11-29 12:00:00.000000','image/png',8,6,7,'d4e24d749a4fe2f161af2de913c0402b04e3ae287dafd0f9dbfa4a5c56c69285','a cat on a sofa',0.5,'offline','m-1',NULL,'1/114c4f11-6a91-5691-ac04-7ab771971f17-1-d9bd9a80');
INSERT INTO "photos" VALUES('622a953a-5a57-510b-8c8e-53e436ef10e2',1,-100,13,13,'en','file-13',1234,'look','2026-11-29 12:00:00.000000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "photos" VALUES('95ce3318-98c7-5ccc-b2d8-cb70e3a70c83',1,-100,14,14,'en','file-14',1234,'look','2026-11-29 12:00:00.000000','image/png',8,6,7,'d4e24d749a4fe2f161af2de913c0402b04e3ae287dafd0f9dbfa4a5c56c69285','a cat on a sofa',0.5,'offline','m-1',NULL,'5/571d5551-f9b1-5fef-a47c-9c2dfaf048e0-1-65136729');
INSERT INTO "photos" VALUES('9faab748-ea16-5cbc-a8ea-7974a7ab1e15',1,-100,15,15,'en','file-15',1234,'look','2026-11-29 12:00:00.000000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "photos" VALUES('83465ccd-e19e-5095-8c58-f9f31117db3c',1,-100,16,16,'en','file-16',1234,'look','2026-11-29 12:00:00.000000',NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL);
INSERT INTO "photos" VALUES('e51c0ef3-4fbb-55ac-afb9-b9020fe2ec12',1,-100,42,42,'en','file-42',1234,'look','2026-11-29 12:00:00.000000','image/png',8,6,7,'d4e24d749a4fe2f161af2de913c0402b04e3ae287dafd0f9dbfa4a5c56c69285','a cat on a sofa',0.5,'offline','m-1',5,'7/70b6c5f1-5cbd-590e-93ac-0d108a6bfdcf-1-ca0670b5');
CREATE INDEX ix_photos_user ON photos (bot_id, user_id, chat_id);
CREATE INDEX ix_generations_unclosed ON generations (number) WHERE closed_at IS NULL;
CREATE INDEX ix_photos_image_key ON photos (image_key) WHERE image_key IS NOT NULL;
CREATE INDEX ix_generations_image_key ON generations (image_key) WHERE image_key IS NOT NULL;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('generations',18);
COMMIT;
