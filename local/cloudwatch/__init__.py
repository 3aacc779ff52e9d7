"""The part of CloudWatch that the deployed dashboard and alarms use, over the samples that the local one holds."""
