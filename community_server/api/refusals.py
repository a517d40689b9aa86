"""What each route refuses beside what every route does: status and codes.

A route without a line here refuses nothing of its own. A test holds every code to the catalogues'
sentences, and every line to a route.
"""

from typing import Final

REFUSALS: Final = {
    "PUT /account/contact": "422 email-wrong phone-wrong",
    "POST /account/link": (
        "403 link-over origin-wrong; 422 password-long password-short; 429 too-many-attempts"
    ),
    "POST /account/password": "403 proof-needed; 422 password-long password-short",
    "DELETE /account/second-factor": "403 proof-needed",
    "POST /account/second-factor": "403 proof-needed; 409 not-set-up second-factor-there",
    "POST /account/second-factor/confirm": (
        "403 proof-needed; 409 second-factor-not-begun second-factor-there; 422 code-wrong"
    ),
    "DELETE /account/sessions/{session}": "404 session-unknown",
    "PUT /alarms/escalation/{severity}": "422 alarm-role-wrong alarm-time-wrong",
    "PUT /alarms/rules/{kind}": "404 alarm-unknown; 422 alarm-number-wrong alarm-time-wrong",
    "POST /alarms/{alarm}/acknowledge": "404 alarm-unknown; 422 note-long",
    "POST /approvals/{enrollment}": (
        "404 enrollment-unknown person-unknown; 409 already-decided faces-off not-set-up "
        "pass-too-early photos-unusable time-over visitor-shut-out; 422 door-unknown unit-missing"
    ),
    "GET /approvals/{enrollment}/photos/{number}": "404 photo-unknown",
    "GET /backups": "409 not-set-up",
    "GET /certified-keys/retired": "409 not-set-up",
    "POST /certified-keys/{use}/retirement": (
        "403 proof-needed; 404 key-use-unknown; 409 not-set-up; 422 time-unreadable"
    ),
    "POST /calls/{call}/open": (
        "409 call-over call-taken gate-busy gate-refused gate-unreachable not-recordable "
        "opening-away opening-refused opening-unasked opening-unheard; 422 note-long "
        "note-missing password-not-yours reason-missing; 429 too-many-attempts"
    ),
    "POST /calls/{call}/refuse": (
        "409 call-over call-taken refusal-unheard; 422 note-long note-missing reason-missing"
    ),
    "GET /calls/{call}/still": "404 still-unknown",
    "GET /entries/{entry}/snapshot": "404 snapshot-unknown",
    "POST /check-ins": (
        "404 company-unknown person-unknown; 409 company-suspended not-set-up pass-too-early "
        "time-over; 422 company-kind-unknown company-missing door-unknown external-id-taken "
        "group-unknown groups-too-many name-missing name-taken note-long retention-wrong "
        "stay-wrong time-over unit-long unit-missing"
    ),
    "POST /cloud": (
        "403 proof-needed; 409 not-running not-set-up; 422 cloud-unreachable url-unusable"
    ),
    "POST /companies": (
        "422 company-kind-unknown external-id-taken group-unknown groups-too-many name-missing "
        "name-taken note-long retention-wrong stay-wrong"
    ),
    "DELETE /companies/{company}": "404 company-unknown; 409 company-used",
    "GET /companies/{company}": "404 company-unknown",
    "PATCH /companies/{company}": (
        "404 company-unknown; 422 company-kind-unknown external-id-taken group-unknown "
        "groups-too-many name-missing name-taken note-long retention-wrong stay-wrong"
    ),
    "GET /companies/{company}/visits": "404 company-unknown",
    "GET /companies/{company}/workers": "404 company-unknown",
    "POST /companies/{company}/workers": (
        "404 company-unknown; 422 door-unknown group-unknown groups-too-many time-over "
        "unit-long unit-missing"
    ),
    "POST /deliveries/{delivery}/retry": (
        "404 delivery-unknown; 409 delivery-not-given-up event-gone"
    ),
    "POST /doors": "422 name-missing",
    "POST /doors/{door}/poster": "404 door-unknown; 409 cloud-not-paired door-revoked not-set-up",
    "DELETE /doors/{door}": "403 proof-needed; 404 door-unknown",
    "PATCH /doors/{door}": "404 door-unknown; 409 door-revoked; 422 second-needs-pin",
    "POST /doors/{door}/fire/end": (
        "404 door-unknown; 409 door-away door-silent fire-still-active no-fire"
    ),
    "POST /doors/{door}/open": (
        "404 door-unknown; 409 gate-busy gate-refused gate-unreachable not-recordable "
        "opening-away opening-refused opening-unasked opening-unheard; 422 note-long "
        "note-missing password-not-yours reason-missing; 429 too-many-attempts"
    ),
    "POST /doors/{door}/pairing": "404 door-unknown; 409 door-revoked",
    "POST /doors/{door}/reset-pin": "404 door-unknown; 409 door-revoked",
    "GET /entries/export": (
        "403 proof-needed; 422 filter-unknown look-reason-needed time-unreadable"
    ),
    "POST /entries/looks": (
        "422 filter-unknown nobody-meant note-long note-missing reason-missing time-unreadable"
    ),
    "GET /entries/search": "422 filter-unknown look-reason-needed time-unreadable",
    "GET /entries/stream": "422 filter-unknown look-reason-needed time-unreadable",
    "GET /entries/why": "404 entry-unknown person-unknown; 422 time-unreadable",
    "GET /erasures/{erasure}/receipt": "404 erasure-unknown; 409 not-set-up",
    "GET /events": "409 cursor-too-old cursor-unknown; 422 event-kind-unknown",
    "POST /groups": "422 door-unknown groups-too-many name-missing name-taken schedule-unknown",
    "DELETE /groups/{group}": "404 group-unknown; 409 group-is-default group-used",
    "PUT /groups/{group}": (
        "404 group-unknown; 422 door-unknown groups-too-many name-missing name-taken "
        "schedule-unknown"
    ),
    "POST /groups/{group}/default": "404 group-unknown",
    "PUT /holidays": "422 days-too-many",
    "DELETE /holidays/{day}": "404 holiday-unknown",
    "DELETE /households/{household}": "404 household-unknown; 409 household-lived-in",
    "GET /households/{household}": "404 household-unknown",
    "POST /inside/{person}/left": "409 not-inside",
    "POST /invitations": (
        "409 cloud-not-paired not-set-up; 422 door-unknown name-missing time-over unit-long "
        "unit-missing window-long window-missing"
    ),
    "POST /invitations/bulk": (
        "404 person-unknown; 409 cloud-not-paired no-gateway nobody-chosen not-set-up"
    ),
    "POST /consents/rounds": "409 nobody-to-ask not-set-up round-running; 422 days-wrong",
    "GET /keys": "409 not-set-up",
    "POST /ledger/skip": (
        "409 ledger-not-awaited; 422 ledger-reason-unknown password-not-yours; "
        "429 too-many-attempts"
    ),
    "POST /lockdown": (
        "409 locked-down-already not-locked-down; 422 lockdown-reason-long "
        "lockdown-reason-missing password-not-yours; 429 too-many-attempts"
    ),
    "POST /people/imports": (
        "422 columns-missing file-empty file-long file-old file-unreadable rows-missing "
        "rows-too-many"
    ),
    "DELETE /people/imports/{number}": "404 import-unknown",
    "GET /people/imports/{number}": "404 import-unknown",
    "POST /people/imports/{number}/apply": (
        "403 proof-needed; 404 import-unknown; 409 import-faulty import-stale"
    ),
    "DELETE /people/{person}": "403 proof-needed; 404 person-unknown; 409 not-set-up",
    "PATCH /people/{person}": (
        "404 person-unknown; 422 group-unknown groups-too-many time-over unit-long unit-missing"
    ),
    "GET /people/{person}/cards": "404 person-unknown",
    "POST /people/{person}/cards": (
        "404 person-unknown; 409 card-taken cards-too-many; 422 card-malformed"
    ),
    "DELETE /people/{person}/cards/{card}": "404 card-unknown",
    "GET /people/{person}/consents": "404 person-unknown",
    "DELETE /people/{person}/face": "404 person-unknown; 409 no-face not-set-up",
    "DELETE /people/{person}/invitation": "404 person-unknown; 409 invitation-not-open",
    "POST /people/{person}/invitation": (
        "404 person-unknown; 409 cloud-not-paired not-set-up time-over"
    ),
    "POST /people/{person}/page": (
        "404 person-unknown; 409 cloud-not-paired not-a-resident not-set-up"
    ),
    "PUT /people/{person}/move-out": (
        "403 proof-needed; 404 person-unknown; 409 lives-nowhere not-set-up; 422 time-over"
    ),
    "POST /people/{person}/pass": (
        "404 person-unknown; 409 cloud-not-paired not-set-up pass-too-early time-over; 422 "
        "door-unknown"
    ),
    "POST /people/{person}/pin": "404 person-unknown; 422 unit-missing",
    "POST /recovery-kit/check": "403 proof-needed; 409 not-set-up; 422 kit-foreign kit-mistyped",
    "GET /reports/{day}": "404 day-unknown",
    "POST /reports/{day}/signature": (
        "404 day-unknown; 409 day-not-over report-signed; 422 report-note-long"
    ),
    "GET /privacy/assessments/{number}": "404 assessment-unknown",
    "POST /privacy/assessments": "403 proof-needed; 422 details-missing name-missing",
    "PUT /privacy/details": "422 faces-wrong name-missing note-long",
    "GET /privacy/looks": "422 time-unreadable",
    "GET /privacy/people/{person}": "403 proof-needed; 404 person-unknown",
    "PUT /retention/{kind}": "403 proof-needed; 404 retention-unknown; 422 keep-wrong",
    "POST /schedules": "422 name-missing name-taken windows-missing windows-wrong",
    "DELETE /schedules/{schedule}": "404 schedule-unknown; 409 schedule-used",
    "PUT /schedules/{schedule}": (
        "404 schedule-unknown; 422 name-missing name-taken windows-missing windows-wrong"
    ),
    "POST /session": (
        "401 password-wrong second-factor-needed sign-in-over; 403 origin-wrong; 422 "
        "code-wrong; 429 too-many-attempts"
    ),
    "POST /session/proof": "422 code-wrong password-not-yours proof-needed; 429 too-many-attempts",
    "POST /setup": (
        "403 origin-wrong setup-code-wrong; 409 already-set-up; 422 name-missing password-long "
        "password-short username-missing username-taken; 429 too-many-attempts"
    ),
    "POST /staff": "403 proof-needed; 422 username-missing username-taken",
    "DELETE /staff/{account}": "403 proof-needed; 404 staff-unknown; 409 last-administrator",
    "PATCH /staff/{account}": "403 proof-needed; 404 staff-unknown; 409 last-administrator",
    "POST /staff/{account}/link": "403 proof-needed; 404 staff-unknown; 409 staff-disabled",
    "DELETE /staff/{account}/second-factor": "403 proof-needed; 404 staff-unknown",
    "GET /status": "409 not-set-up",
    "PUT /sync/cards/{external_id}": (
        "409 card-taken cards-too-many; 422 card-malformed person-unknown"
    ),
    "PUT /sync/groups/{external_id}": (
        "422 door-unknown groups-too-many name-missing name-taken schedule-unknown"
    ),
    "PUT /sync/households/{external_id}": "409 household-taken; 422 unit-long unit-missing",
    "PUT /sync/companies/{external_id}": "422 group-unknown name-missing name-taken",
    "PUT /sync/people/{external_id}": (
        "422 external-id-taken group-unknown groups-too-many household-unknown time-over "
        "unit-long unit-missing"
    ),
    "PUT /sync/schedules/{external_id}": (
        "422 name-missing name-taken windows-missing windows-wrong"
    ),
    "DELETE /sync/{kind}/{external_id}": (
        "409 company-used group-is-default group-used household-lived-in lives-nowhere "
        "schedule-used"
    ),
    "POST /tokens": "403 proof-needed; 422 end-wrong name-missing scopes-wrong",
    "DELETE /tokens/{token}": "403 proof-needed; 404 token-unknown",
    "DELETE /visits/{visit}": "404 visit-unknown; 409 not-set-up",
    "POST /visits/{visit}/decision": (
        "404 visit-unknown; 409 already-decided cloud-not-paired company-suspended not-set-up "
        "pass-too-early time-over; 422 door-unknown time-over"
    ),
    "POST /visits/{visit}/extension": (
        "404 visit-unknown; 409 not-set-up pass-too-early time-over visit-not-approved "
        "visitor-shut-out; 422 time-over window-long window-missing"
    ),
    "POST /webhooks": (
        "409 webhooks-too-many; 422 event-kind-unknown name-missing webhook-url-unusable"
    ),
    "DELETE /webhooks/{webhook}": "404 webhook-unknown",
    "PUT /webhooks/{webhook}": (
        "404 webhook-unknown; 422 event-kind-unknown name-missing webhook-url-unusable"
    ),
    "POST /webhooks/{webhook}/secret": "404 webhook-unknown",
    "POST /webhooks/{webhook}/test": "404 webhook-unknown",
    "GET /workers/{person}/visits": "404 person-unknown",
}
