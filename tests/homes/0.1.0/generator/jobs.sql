BEGIN TRANSACTION;
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0003');
CREATE TABLE jobs (
	id CHAR(32) NOT NULL, 
	owner TEXT NOT NULL, 
	fingerprint TEXT NOT NULL, 
	state TEXT NOT NULL, 
	sequence BIGINT NOT NULL, 
	waiter TEXT, 
	prompt TEXT NOT NULL, 
	negative_prompt TEXT NOT NULL, 
	width INTEGER, 
	height INTEGER, 
	steps INTEGER NOT NULL, 
	guidance_scale DOUBLE NOT NULL, 
	seed BIGINT NOT NULL, 
	attempts INTEGER NOT NULL, 
	fence BIGINT NOT NULL, 
	holder TEXT, 
	lease_until DOUBLE, 
	model TEXT, 
	image_key TEXT, 
	image_width INTEGER, 
	image_height INTEGER, 
	image_sha256 TEXT, 
	error_code TEXT, 
	error_message TEXT, 
	ended_at DOUBLE, preset TEXT DEFAULT 'balanced' NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "jobs" VALUES('040fbe92b42447b793d5b21a13109f48','telegram:42','51880d0b44f5ce0f0016fa56781e8f9c37f41660ce6032b808268436447737de','finished',1,NULL,'finished','',NULL,NULL,20,7.5,1738370150579549699,1,2,'inprocess',1000060.0,'scripted','0/040fbe92-b424-47b7-93d5-b21a13109f48-2-68ed3b58',64,72,'6d9f06daa7baf349b80a700b1e55c36103e00812ccac823724450941eb2ab9bb',NULL,NULL,1000000.0,'balanced');
INSERT INTO "jobs" VALUES('6f5decb02a494ce28661d0b7aa3da7e0','','b0ea62655bd11525b6ff871637e05be122bc036cab9a29b43e70ec274f5d1f24','refused',3,NULL,'refused','',NULL,NULL,20,7.5,1,1,4,'inprocess',1000060.0,'scripted',NULL,NULL,NULL,NULL,'refused-by-safety','The safety filter refused the picture.',1000000.0,'balanced');
INSERT INTO "jobs" VALUES('eb8db304d20e4ebca80549ab35bf2aa6','','f18671978c9577b5a097f2382ea45e8bf2a34d2f0bf1176930ea6bed2aca2858','failed',9,NULL,'failed','',64,64,20,7.5,5491919434774229190,3,10,NULL,1000060.0,'scripted',NULL,NULL,NULL,NULL,'gave-up','The computation broke off 3 times; it was given up.',1000000.0,'balanced');
INSERT INTO "jobs" VALUES('caf780b315af48d5b4debe0b93017dec','','83b535a1f1a402c7858096f8c4f4bb059712df2825ea0d709511f420f70844ef','running',11,NULL,'running','',NULL,NULL,20,7.5,357452442544298872,1,12,'inprocess',1000060.0,'scripted',NULL,NULL,NULL,NULL,NULL,NULL,NULL,'balanced');
INSERT INTO "jobs" VALUES('3c74bb77ff0945cdba7970cae2cf4fbb','','a090e6676537094eccc5b0d1efcdc77ea17b1ee358ee8d80311ed0db9ad5479d','cancelled',13,NULL,'cancelled','',NULL,NULL,20,7.5,4920099348985987040,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,1000000.0,'balanced');
INSERT INTO "jobs" VALUES('37c52477b4504a30b976e4ee6dd88e33','telegram:43','bff11010127e99d7b412dbbde361b8513f271b5f7141aa5c3d890ba62ecf4adc','queued',14,NULL,'queued','blurry',NULL,NULL,20,7.5,1427907850940285718,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'balanced');
CREATE TABLE "logical_clock" (
	id INTEGER NOT NULL, 
	now BIGINT NOT NULL, 
	PRIMARY KEY (id)
);
INSERT INTO "logical_clock" VALUES(1,14);
CREATE TABLE owners (
	name TEXT NOT NULL, 
	served BIGINT NOT NULL, 
	PRIMARY KEY (name)
);
INSERT INTO "owners" VALUES('telegram:42',2);
INSERT INTO "owners" VALUES('',12);
INSERT INTO "owners" VALUES('telegram:43',11);
CREATE INDEX jobs_state ON jobs (state);
CREATE INDEX jobs_owner ON jobs (owner);
CREATE INDEX jobs_ended_at ON jobs (ended_at);
COMMIT;
