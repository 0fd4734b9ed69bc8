"""Every panel that there is: importing this registers them all with `panels.panel_of`."""

from mesh_notebook.surfaces import (  # noqa: F401
    answers,
    contract_panels,
    control_panels,
    deploy_panels,
    descriptions,
    lineage_panels,
    plan_panels,
    policy_panels,
    promise_panels,
    proofs,
    round_trip_panels,
    run_panels,
    verify_panels,
)

__all__: list[str] = []
