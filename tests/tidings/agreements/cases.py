"""Ways to spoil the small country's agreement: what is changed into what, and the problems that must come."""

from __future__ import annotations

FORM = [
    (
        "purpose: Stop benefits",
        "purpos: Stop benefits",
        [
            "6: purpos: is not a clause that is known; did you mean 'purpose'? [unknown-key]",
            "2: purpose: is required [required]",
        ],
    ),
    (
        "after_end: corrections",
        "after_end: correction",
        ["8: valid.after_end: must be 'nothing' or 'corrections' [bad-value]"],
    ),
    (
        'gdpr: "6(1)(e)"',
        'gdpr: "6(1)(e)", article_10: x',
        ["7: legal_basis.article_10: is not a clause that is known; did you mean 'article_9'? [unknown-key]"],
    ),
    (
        'gdpr: "6(1)(e)"',
        'gdpr: "6e"',
        ["7: legal_basis.gdpr: must be a condition of article 6(1), such as 6(1)(e) [bad-value]"],
    ),
    ("version: 3", "version: three", ["3: version: must be a whole number [wrong-type]"]),
    ("version: 3", "version: 0", ["3: version: input should be greater than or equal to 1 [bad-value]"]),
    ("purpose: Stop benefits", "purpose: 12", ["6: purpose: must be text [wrong-type]"]),
    ("purpose: Stop benefits", "purpose: ' '", ["6: purpose: must say something [bad-value]"]),
    (
        "retention_days: 90",
        "retention_days: 90\nretention_days: 30",
        ["11: retention_days: 'retention_days' is given twice; first on line 10 [duplicate-key]"],
    ),
    (
        "agreement: bereavement-benefits",
        "agreement: Bereavement_Benefits",
        ["2: agreement: must be an id: a-z, 0-9 and inner hyphens, at most 60 characters [bad-id]"],
    ),
    (
        "review_by: 2027-12-31",
        "review_by: 2027-13-31",
        ["9: review_by: must be a date that exists: YYYY-MM-DD [wrong-type]"],
    ),
    (
        "review_by: 2027-12-31",
        "hold: 3\nreview_by: 2027-12-31",
        ["9: hold: must be text [wrong-type]"],
    ),
    (
        "review_by: 2027-12-31",
        "hold: 90s\nreview_by: 2027-12-31",
        ["9: hold: must be a number of minutes, hours or days, at most a week: 30m, 1h, 2d [bad-value]"],
    ),
    (
        "review_by: 2027-12-31",
        "hold: 8d\nreview_by: 2027-12-31",
        ["9: hold: must be a number of minutes, hours or days, at most a week: 30m, 1h, 2d [bad-value]"],
    ),
    (
        'subjects: {all: "Every death"}',
        "subjects: {all: x, where: y}",
        ["11: subjects: must have exactly one of all, where and interest_list [bad-value]"],
    ),
    (
        "protected: without_location",
        "protected: sometimes",
        ["12: protected: must be 'none', 'without_location' or 'full' [bad-value]"],
    ),
    (
        "usual_residence.country: [GB]",
        "usual_residence.country: GB",
        ["16: events.death-registered.where[usual_residence.country]: must be a mapping [wrong-type]"],
    ),
    (
        "usual_residence.country: [GB]",
        "usual_residence.country: {not: []}",
        [
            (
                "16: events.death-registered.where[usual_residence.country]: "
                "must be a list of values, or {not: [...]}, or {starts_with: [...]} [bad-value]"
            )
        ],
    ),
    (
        "usual_residence.country: [GB], ",
        "",
        ["16: events.death-registered.where: must name at least one field [bad-value]"],
    ),
    (
        "missing: include}",
        "missing: perhaps}",
        ["16: events.death-registered.where.missing: must be 'include' or 'exclude' [bad-value]"],
    ),
    ("0" * 64, "abc", ["22: approvals[0].hash: must be a SHA-256 in 64 lower-case hexadecimal digits [bad-value]"]),
]

MEANING = [
    (
        "retention_days: 90",
        "retention_days: 1\nhold: 1d",
        ["11: hold: is not less than retention_days, 1 [hold-too-long]"],
    ),
    (
        "      subject: pseudonym",
        "      change: redact\n      subject: pseudonym\nhold: 1h",
        [
            (
                "20: events.death-registered.fields.change: must be kept where views are held: by it an annulment is "
                "known [hold-needs-change]"
            )
        ],
    ),
    (
        "until: 2028-12-31",
        "until: 2025-12-31",
        [
            "8: valid.until: 2025-12-31 is before the start, 2026-01-01 [dates-reversed]",
            "9: review_by: 2027-12-31 is after the end, 2025-12-31 [review-after-end]",
            "22: approvals[0].date: 2026-01-05 is after the end, 2025-12-31 [approval-after-end]",
        ],
    ),
    (
        "review_by: 2027-12-31",
        "review_by: 2029-01-01",
        ["9: review_by: 2029-01-01 is after the end, 2028-12-31 [review-after-end]"],
    ),
    (
        "subscriber: dwp",
        "subscriber: dwq",
        ["5: subscriber: 'dwq' is not in agencies.yaml; did you mean 'dwp'? [unknown-agency]"],
    ),
    (
        "provider: gro",
        "provider: grow",
        [
            "4: provider: 'grow' is not in agencies.yaml; did you mean 'gro'? [unknown-agency]",
            "15: events.death-registered: belongs to 'gro', so 'grow' cannot provide it [not-owner]",
        ],
    ),
    (
        "subscriber: dwp",
        "subscriber: gro",
        ["5: subscriber: an agency needs no agreement with itself [provider-is-subscriber]"],
    ),
    (
        "onward_sharing: none",
        "onward_sharing: [ons]",
        ["13: onward_sharing[0]: 'ons' is not in agencies.yaml [unknown-agency]"],
    ),
    (
        "death-registered:",
        "deaths-registered:",
        [
            (
                "15: events.deaths-registered: is not an event type of the catalogue; did you mean 'death-registered'? "
                "[unknown-event-type]"
            )
        ],
    ),
    (
        "death-registered:",
        "death-notified:",
        [
            "15: events.death-notified: belongs to 'nhs-pds', so 'gro' cannot provide it [not-owner]",
            (
                "16: events.death-notified.where[usual_residence.country]: death-notified has no such field "
                "[where-unknown-field]"
            ),
            (
                "18: events.death-notified.fields[deceased.names]: death-notified has no such field; "
                "did you mean 'related.names'? [unknown-field]"
            ),
            (
                "19: events.death-notified.fields[deceased.date_of_birth]: death-notified has no such field; "
                "did you mean 'related.date_of_birth'? [unknown-field]"
            ),
        ],
    ),
    (
        "deceased.names: keep",
        "deceased.name: keep",
        [
            (
                "18: events.death-registered.fields[deceased.name]: death-registered has no such field; "
                "did you mean 'deceased.names'? [unknown-field]"
            )
        ],
    ),
    (
        "usual_residence.country: [GB]",
        "usual_residence.county: [GB]",
        [
            (
                "16: events.death-registered.where[usual_residence.county]: death-registered has no such field; "
                "did you mean 'usual_residence.country'? [where-unknown-field]"
            )
        ],
    ),
    (
        "deceased.names: keep",
        "deceased.names: hide",
        [
            (
                "18: events.death-registered.fields[deceased.names]: there is no mask 'hide'; there are encrypt, "
                "generalise, keep, partial, pseudonym, redact [mask-unknown]"
            )
        ],
    ),
    (
        "deceased.names: keep",
        "deceased.names: {generalise: year}",
        [
            (
                "18: events.death-registered.fields[deceased.names]: the mask generalise does not take record Name "
                "[mask-type]"
            )
        ],
    ),
    (
        "deceased.names: keep",
        "cause_of_death: keep",
        [
            (
                "18: events.death-registered.fields.cause_of_death: is or holds a special category: legal_basis needs "
                "article_9 [special-without-article-9]"
            )
        ],
    ),
    (
        "usual_residence.country: [GB]",
        "cause_of_death: [x]",
        [
            (
                "16: events.death-registered.where.cause_of_death: is or holds a special category: legal_basis needs "
                "article_9 [special-without-article-9]"
            )
        ],
    ),
    (
        'subjects: {all: "Every death"}',
        "subjects: {interest_list: people.txt}",
        ["11: subjects.interest_list: there is no file 'people.txt' beside this one [interest-list-missing]"],
    ),
    (
        'subjects: {all: "Every death"}',
        "subjects: {interest_list: ../people.txt}",
        ["11: subjects.interest_list: must be a path below the folder of the agreements [interest-list-path]"],
    ),
    (
        "agency: gro, role",
        "agency: dwp, role",
        ["22: approvals[0].role: 'data protection officer' is no role of dwp that may approve [approval-role]"],
    ),
    (
        "agency: gro, role",
        "agency: hmrc, role",
        ["22: approvals[0].agency: 'hmrc' is neither provider nor subscriber [approval-agency]"],
    ),
]
