-- Which jobs of a channel wait for their last voucher is asked for with every voucher.
CREATE INDEX job_completed_channel ON job (channel, number) WHERE state = 'completed';
