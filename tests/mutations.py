"""Changes of the source that each break one requirement, and the test that must notice.

`old` occurs once in the service's source and migrations, wherever the file is; `test` is the name
of a test function. `make soak` makes each change in a copy of the repository and runs its test.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutation:
    """One change: what it breaks, the text that it replaces, and the test that must fail."""

    requirement: str
    breaks: str
    old: str
    new: str
    test: str


MUTATIONS = [
    # --- The refresh ------------------------------------------------------------------------
    Mutation(
        "R1",
        "a lease that is held can be claimed",
        "return or_(GrantRow.lease_until.is_(None), GrantRow.lease_until < NOW)",
        "return or_(GrantRow.lease_until.is_(None), GrantRow.lease_until.is_not(None))",
        "test_a_grant_that_is_held_is_not_claimed",
    ),
    Mutation(
        "R1",
        "each caller refreshes, although the generation has moved",
        "                GrantRow.generation == seen.generation,\n",
        "",
        "test_a_grant_that_changed_meanwhile_is_not_claimed",
    ),
    Mutation(
        "R3",
        "a claim leaves no mark of the attempt",
        "refresh_sent_at=func.coalesce(GrantRow.refresh_sent_at, NOW),",
        "",
        "test_a_claim_notes_the_intent_to_send",
    ),
    Mutation(
        "R5",
        "a shutdown does not wait for refreshes under way",
        "        stack.push_async_callback(background.drain, DRAIN_SECONDS)\n",
        "",
        "test_a_process_that_ends_while_the_database_is_away_saves_the_set_first_r6",
    ),
    Mutation(
        "R6",
        "a rotated set is saved once or never",
        """                if time.monotonic() > deadline:
                    raise
                log.exception("rotated tokens""",
        """                raise
                log.exception("rotated tokens""",
        "test_a_rotated_set_that_came_while_the_database_was_away_is_kept_and_saved_r6",
    ),
    Mutation(
        "R7",
        "a late save overwrites a newer set",
        """                GrantRow.generation == lease.grant.generation,
                GrantRow.refresh_token_enc.is_not(None),
            )
            .values(
                access_token_enc""",
        """                GrantRow.refresh_token_enc.is_not(None),
            )
            .values(
                access_token_enc""",
        "test_a_generation_is_saved_once",
    ),
    Mutation(
        "R7",
        "a set is saved by its holder alone, so that a paused one loses the only valid token",
        """                GrantRow.generation == lease.grant.generation,
                GrantRow.refresh_token_enc.is_not(None),
            )
            .values(
                access_token_enc""",
        """                *_still_held_by(lease),
                GrantRow.refresh_token_enc.is_not(None),
            )
            .values(
                access_token_enc""",
        "test_a_holder_that_slept_through_its_lease_may_still_save",
    ),
    Mutation(
        "R8",
        "`invalid_grant` ends a grant while another attempt is open",
        """        or_(
            GrantRow.refresh_sent_by.is_(None),
            GrantRow.refresh_sent_by == lease.holder,
            GrantRow.refresh_sent_at < NOW - attempt_stays_open,
        ),
""",
        "",
        "test_a_grant_does_not_end_while_the_refusal_may_be_somebody_elses_doing",
    ),
    Mutation(
        "R10",
        "callers inside the margin fail while a refresh fails",
        """        except (ExternalAPIError, ServiceBusy):
            return grant
""",
        """        except (ExternalAPIError, ServiceBusy):
            raise
""",
        "test_a_token_that_still_works_is_served_while_refreshing_fails_r10",
    ),
    Mutation(
        "R11",
        "any refusal of the token endpoint ends the grant",
        'if answer.status in {400, 401} and error == "invalid_grant":',
        "if answer.status in {400, 401}:",
        "test_a_refused_client_alarms_the_operator_and_kills_no_grant_r11",
    ),
    Mutation(
        "R31",
        "callers get 500 while no host of the database accepts writes",
        "except (asyncpg.PostgresError, asyncpg.InternalClientError) as error:",
        "except asyncpg.PostgresError as error:",
        "test_a_standby_that_is_not_promoted_yet_is_an_outage_to_every_pool_c1",
    ),
    # --- Consents and disconnects -----------------------------------------------------------
    Mutation(
        "R19",
        "a revocation that is still pending outlives a new consent",
        "            await tx.cleanups.cancel_revocations(consent.xero_user_id)\n",
        "",
        "test_after_a_disconnect_an_owed_revocation_is_cancelled_r19",
    ),
    Mutation(
        "R20",
        "a tenant is taken from the org that has it",
        """            if holder is not None and holder.org_id == org_id:
                await""",
        """            if holder is not None:
                await""",
        "test_a_tenant_held_by_another_org_is_refused_and_nothing_is_disclosed",
    ),
    Mutation(
        "R22",
        "a failed revocation is not tried again",
        "                await tx.cleanups.postpone(cleanup.id, _backoff(cleanup.attempts))\n",
        "                await self.record_outcome(tx, cleanup, CleanupOutcome.IMPOSSIBLE)\n",
        "test_while_xero_is_away_the_last_one_ends_here_and_upkeep_finishes_it_r22",
    ),
    Mutation(
        "S20",
        "an attempt can be used twice",
        ".values(consumed_at=NOW, token=None)",
        ".values(token=taken.c.token)",
        "test_an_attempt_is_consumed_once",
    ),
    Mutation(
        "S20",
        "a browser without the flow cookie finishes an attempt",
        """        if browser_id is None or not secrets.compare_digest(
            fingerprint(browser_id), payload.browser_hash
        ):
            raise FlowMismatch
""",
        "",
        "test_a_browser_without_the_flow_cookie_cannot_finish_s20",
    ),
    Mutation(
        "S30",
        "another signed-in user finishes an attempt",
        """        if session is not None and not _is_initiator(session, payload):
            raise SessionMismatch
""",
        "",
        "test_somebody_else_who_is_signed_in_cannot_finish_s30",
    ),
    Mutation(
        "S31",
        "the id_token of another attempt is believed",
        'if who.get("nonce") != nonce:',
        "if False:",
        "test_a_consent_answered_to_another_attempt_is_refused",
    ),
    # --- Events -----------------------------------------------------------------------------
    Mutation(
        "R28",
        "a change of a binding writes no event",
        "self._events.defer(*chain.from_iterable(change_events(*each) for each in changed))",
        "_ = chain",
        "test_a_grant_that_xero_ends_and_a_consent_that_restores_it",
    ),
    Mutation(
        "R28",
        "a delivery is recorded before the endpoint acknowledged it",
        "            answer = await self._send(claimed)\n",
        """            await self._record_delivered(claimed, 204, "")
            answer = await self._send(claimed)
""",
        "test_a_failed_delivery_is_repeated_with_the_same_id",
    ),
    Mutation(
        "R29",
        "a cursor of a lost event is taken for another event's",
        "(SELECT right(id::text, 4) = :fingerprint FROM events WHERE position = :position)",
        "(SELECT :fingerprint <> '' FROM events WHERE position = :position)",
        "test_a_cursor_from_what_a_restore_has_lost_is_refused",
    ),
    # --- Who may do what --------------------------------------------------------------------
    Mutation(
        "S7",
        "a session token of any page is believed",
        'if str(claims.get("azp")) not in self.authorized_parties:',
        "if False:",
        "test_a_page_that_is_not_listed_is_refused",
    ),
    Mutation(
        "S14",
        "a service key works without its secret",
        "if not compare_digest(secret_hash, presented.secret_hash) or not key.is_valid:",
        "if not key.is_valid:",
        "test_a_wrong_key_is_refused_whatever_is_wrong_with_it",
    ),
    Mutation(
        "S16",
        "a key reaches the bindings of another org",
        "if bound is None or bound.binding.org_id != org_id:",
        "if bound is None:",
        "test_revoked_foreign_and_unknown_bindings_are_one_and_the_same",
    ),
    Mutation(
        "S16",
        "a key of one org gets a token that opens another org's tenant",
        "if scope is Scope.TOKENS_READ and read.shared and read.key.org_id is not None:",
        "if False:",
        "test_a_key_of_one_org_gets_no_token_of_a_shared_grant",
    ),
    Mutation(
        "S50",
        "a token is issued before its audit row is written",
        "await self.flights.do((reader, token), lambda: self._audit(authorized, credentials))",
        "_ = self.flights.join((reader, token), lambda: self._audit(authorized, credentials))",
        "test_a_token_whose_issue_cannot_be_audited_is_not_issued",
    ),
    Mutation(
        "S51",
        "a disconnected binding goes on working while its grant lives",
        """        if self.binding.status is BindingStatus.REVOKED:
            raise NotFound
""",
        "",
        "test_revoked_foreign_and_unknown_bindings_are_one_and_the_same",
    ),
    Mutation(
        "S56",
        "a suspended tenant works again once another org binds it",
        "FOR EACH ROW WHEN (NEW.status <> 'revoked') EXECUTE FUNCTION keep_suspensions()",
        "FOR EACH ROW WHEN (NEW.status = 'suspended') EXECUTE FUNCTION keep_suspensions()",
        "test_another_org_that_connects_it_finds_it_suspended_b3",
    ),
    # --- The proxy, secrets and records -----------------------------------------------------
    Mutation(
        "S34",
        "the proxy reaches any path of Xero's API host",
        "if not path.startswith(API_ROOTS):",
        "if False:",
        "test_another_path_is_refused_and_nothing_is_sent",
    ),
    Mutation(
        "S36",
        "the caller's cookies reach Xero",
        '    "cookie",\n    "expect",\n',
        '    "expect",\n',
        "test_what_the_caller_may_not_say_is_dropped_and_the_rest_is_kept",
    ),
    Mutation(
        "S53",
        "an upload that ends short leaves its connection to the next call",
        "            if declared is not None and sent < declared:\n",
        "            if False:\n",
        "test_a_body_of_another_length_than_declared_is_an_error_b1",
    ),
    Mutation(
        "S39",
        "a ciphertext opens in another row",
        "context.encode() or None",
        "None",
        "test_a_text_moved_to_another_place_does_not_open",
    ),
    Mutation(
        "S49",
        "the audit log can be changed",
        "CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON audit_events",
        "CREATE TRIGGER audit_events_append_only BEFORE DELETE ON audit_events",
        "test_the_audit_log_is_only_ever_added_to",
    ),
    Mutation(
        "R29",
        "a page goes past what slower transactions may still add",
        "yield tx, min(wanted, extent.complete)",
        "yield tx, wanted",
        "test_two_transactions_that_commit_in_reverse_order_c15",
    ),
    # --- Mail to people ---------------------------------------------------------------------
    Mutation(
        "R41",
        "a mail may follow at once on the one before it",
        "next_attempt_at=NOW + pause,",
        "next_attempt_at=NOW,",
        "test_an_incident_that_flaps_ten_times_sends_one_mail",
    ),
    Mutation(
        "R41",
        "a refusal for good is repeated",
        "return MailAnswer(False, answer.status, answer.reason, is_final=error.code >= 500)",
        "return MailAnswer(False, answer.status, answer.reason)",
        "test_a_4xx_is_repeated_and_a_5xx_gives_up",
    ),
    Mutation(
        "S59",
        "a webhook of Xero is accepted whatever its signature",
        "return any(matches)",
        "return bool(matches)",
        "test_any_other_signature_is_401_and_nothing_is_stored",
    ),
    Mutation(
        "S65",
        "any signature of an unsubscribe link is accepted",
        "        if not hmac.compare_digest(signature.encode(), ",
        "        if not signature.encode() and (",
        "test_a_link_that_was_altered_or_made_up_is_unknown",
    ),
    Mutation(
        "S65",
        "mail goes out without TLS where the server offers none",
        "start_tls=False if server.is_tls else server.requires_tls or None,",
        "start_tls=None,",
        "test_nothing_is_sent_where_the_connection_is_not_as_demanded",
    ),
    Mutation(
        "S65",
        "who unsubscribed is told that what they did not hear of is over",
        "claimed.over <= unsubscribed",
        "not claimed.over",
        "test_opening_the_link_changes_nothing_and_the_button_ends_mail_of_that_kind",
    ),
    # --- Upgrades ---------------------------------------------------------------------------
    Mutation(
        "R32",
        "a replica opens its port before the first check has passed",
        "        await wiring.check_before_serving(services.database)\n",
        "",
        "test_a_replica_opens_its_port_when_the_first_check_has_passed_r32",
    ),
    # --- Restored databases -----------------------------------------------------------------
    Mutation(
        "R33",
        "a verdict is passed before it is known that the database did not go back",
        "        await self.watch.check()\n        retry_in",
        "        retry_in",
        "test_a_reader_that_comes_before_upkeep_ends_no_grant_r33",
    ),
    Mutation(
        "R33",
        "replicas that refuse grants at once each count alone",
        "            hold = await tx.verdict_hold.lock()\n            begins",
        """            async with self.database.transaction() as other:
                hold = await other.verdict_hold.lock()
            begins""",
        "test_two_replicas_that_cross_the_share_at_once_begin_one_hold_r33",
    ),
    Mutation(
        "R33",
        "a hold that stands ends grants until the share is crossed",
        "if (hold.stands or begins) and",
        "if begins and",
        "test_while_verdicts_are_held_not_even_one_grant_ends_r33",
    ),
    Mutation(
        "R33",
        "customers are warned of grants whose verdict is held",
        "g.refresh_failures > 0 AND g.verdict_held_at IS NULL",
        "g.refresh_failures > 0",
        "test_nobody_is_warned_of_a_held_grant_that_failed_before_r33",
    ),
    Mutation(
        "R30",
        "a restore makes only the usual grants due",
        "                    GrantRow.refresh_token_issued_at < went_back,\n",
        "",
        "test_within_the_grace_a_round_of_upkeep_saves_every_grant_r30",
    ),
    Mutation(
        "R30",
        "an id that was used again counts as the event that was lost",
        " AND e.occurred_at = p.occurred_at",
        "",
        "test_a_lost_event_whose_id_was_used_again_is_still_missed_r33",
    ),
    Mutation(
        "R30",
        "an event that the retention deleted counts as lost",
        "- CAST(:kept AS interval)",
        "- 1000 * CAST(:kept AS interval)",
        "test_an_event_that_the_retention_deleted_is_not_lost_r33",
    ),
    Mutation(
        "R31",
        "a process remembers the newest event alone",
        "        self.known.append(committed)",
        "        self.known = deque([committed])",
        "test_a_loss_is_noticed_also_after_events_with_higher_ids_r31",
    ),
    Mutation(
        "R30",
        "a failover that lost nothing counts as a restore",
        "return Course.MOVED if self.remembered else Course.WENT_BACK",
        "return Course.WENT_BACK",
        "test_a_failover_that_lost_nothing_holds_nothing_and_renews_all_r30",
    ),
    Mutation(
        "R30",
        "an operator's repetition renews every grant again",
        "if hold.reason is HoldReason.DATABASE_RESTORED and mark.restored_at is not None:",
        "if hold.reason is None and mark.restored_at is not None:",
        "test_repeating_it_renews_nothing_twice_r30",
    ),
]
