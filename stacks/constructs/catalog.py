"""The archive's tables in the Glue catalog, and a workgroup of Athena with example queries."""

from __future__ import annotations

from pathlib import Path

from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3

from config.model import Environment
from contracts.columns import Column
from contracts.lake import EVENTS, EVERY_RESULT, HOUR, RESULTS, TYPES, Table, database, every_result, tables
from contracts.rejections import REJECTED
from stacks.constructs.base import EnvironmentStack

_SQL = Path(__file__).resolve().parents[2] / "sql" / "athena"
_PARQUET = (
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat",
    "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe",
)
_JSON = (
    "org.apache.hadoop.mapred.TextInputFormat",
    "org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat",
    "org.openx.data.jsonserde.JsonSerDe",
)
#: A query that would read more than this is stopped: half a dollar.
_MOST_BYTES = 100 * 1024**3
#: Where answers of queries are, in the bucket of the archive.
ANSWERS = "athena"


class Catalog:
    """``database`` holds the tables; ``tables`` are by their names."""

    def __init__(self, scope: EnvironmentStack, environment: Environment, archive: s3.IBucket, key: kms.IKey) -> None:
        self._scope, self._archive = scope, archive
        self.name = database(environment.name)
        self.database = glue.CfnDatabase(
            scope,
            "Catalog",
            catalog_id=scope.account,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=self.name, description=f"{scope.prefix}: the archive of events, results and rejections"
            ),
        )
        days = {
            EVENTS: environment.lake.raw_days,
            REJECTED: environment.lake.rejected_days,
        }
        self.tables = {
            table.name: self._table(table, days.get(table.name, environment.lake.results_days))
            for table in tables(parquet=environment.lake.parquet)
        }
        self.every_result = self._add(
            EVERY_RESULT, every_result(), f"{RESULTS}/", _PARQUET, "Schema that Firehose writes results with", {}
        )
        self._workgroup(key)

    def _table(self, table: Table, days: int) -> glue.CfnTable:
        """Partitions are projected from the hours that the archive keeps: nobody has to add them."""
        place = f"s3://{self._archive.bucket_name}/{table.prefix}"
        template = f"{place}${{{HOUR}}}/" if table.name == EVENTS else f"{place}{HOUR}=${{{HOUR}}}/"
        projection = {
            "projection.enabled": "true",
            f"projection.{HOUR}.type": "date",
            f"projection.{HOUR}.format": table.hours,
            f"projection.{HOUR}.range": f"NOW-{days}DAYS,NOW",
            f"projection.{HOUR}.interval": "1",
            f"projection.{HOUR}.interval.unit": "HOURS",
            "storage.location.template": template,
        }
        formats = _PARQUET if table.parquet else _JSON
        return self._add(table.name, table.columns, table.prefix, formats, f"{table.name}, by the hour", projection)

    def _add(
        self,
        name: str,
        columns: tuple[Column, ...],
        prefix: str,
        formats: tuple[str, str, str],
        description: str,
        parameters: dict[str, str],
    ) -> glue.CfnTable:
        reads, writes, serde = formats
        table = glue.CfnTable(
            self._scope,
            f"Table{name.title().replace('_', '')}",
            catalog_id=self._scope.account,
            database_name=self.name,
            table_input=glue.CfnTable.TableInputProperty(
                name=name,
                description=description,
                table_type="EXTERNAL_TABLE",
                parameters={"EXTERNAL": "TRUE", **parameters},
                partition_keys=[glue.CfnTable.ColumnProperty(name=HOUR, type="string")] if parameters else None,
                storage_descriptor=glue.CfnTable.StorageDescriptorProperty(
                    location=f"s3://{self._archive.bucket_name}/{prefix}",
                    input_format=reads,
                    output_format=writes,
                    serde_info=glue.CfnTable.SerdeInfoProperty(serialization_library=serde),
                    columns=[
                        glue.CfnTable.ColumnProperty(
                            name=column.name, type=TYPES[column.type], comment=column.meaning[:255]
                        )
                        for column in columns
                    ],
                ),
            ),
        )
        table.add_resource_dependency(self.database)
        return table

    def _workgroup(self, key: kms.IKey) -> None:
        scope = self._scope
        group = athena.CfnWorkGroup(
            scope,
            "Athena",
            name=scope.prefix,
            description="Queries over the archive",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=False,
                bytes_scanned_cutoff_per_query=_MOST_BYTES,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=f"s3://{self._archive.bucket_name}/{ANSWERS}/",
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS", kms_key=key.key_arn
                    ),
                ),
            ),
        )
        for file in sorted(_SQL.glob("*.sql")):
            query = athena.CfnNamedQuery(
                scope,
                f"Query{file.stem.title().replace('_', '')}",
                name=file.stem,
                database=self.name,
                work_group=scope.prefix,
                query_string=file.read_text(encoding="utf-8"),
            )
            query.add_resource_dependency(group)
            query.add_resource_dependency(self.database)
