"""Parameters that say where a visitor came from, never what is shown.

Only names and prefixes that advertising, mailing and analytics systems made conventions, whatever
the site; no rule here belongs to a site. Names that shops also use for what they sell (`ref`,
`refid`, `source`, `from`, `id`, `cid`, `share`) are left alone: a product more is better than a
wrong one.
"""

from functools import cache
from urllib.parse import unquote

_CONVENTIONS = """
fbclid fb_action_ids fb_action_types fb_source fb_ref fbadid action_object_map action_type_map
action_ref_map gclid gclsrc dclid gbraid wbraid gs_l gws_rd srsltid _ga _gl _gac _gid msclkid yclid
ysclid ymclid _openstat twclid ttclid igshid igsh li_fat_id trackingid epik rdt_cid sccid scclid
irclickid irgwc clickid click_id wickedid obclid ob_click_id outbrainclickid tblci dicbo cx_click
cx_recsorder cx_recswidget vgo_ee mc_cid mc_eid mc_tc mkt_tok mkwid mkcid mkrid mkevt campid
oly_anon_id oly_enc_id vero_id vero_conv hsctatracking rb_clickid s_cid s_kwcid ef_id cmpid cm_re
cm_sp cm_lm cm_cr cm_ven zanpid awc ranmid raneaid ransiteid afsrc affid affiliate_id ascsubtag
xtor wt.mc_id wt.srch wt.tsrc nr_email_referer ref_src ref_url mibextid vn_source si_share
ml_subscriber ml_subscriber_hash dm_i vmcid klaviyo_id _kx _ke __s sms_source sms_click sms_uph
trk trkinfo cjevent cjdata sscid guccounter guce_referrer guce_referrer_sig soc_src soc_trk
echobox tduid ndclid adposition feeditemid lms_campaign syclid spm scm pvid scm_id algo_pvid
algo_exp_id algo_expid btsid ws_ab_test gps-id pdp_npi share_token share_source share_medium
share_plat share_session_id share_tag share_from share_app_id share_link_id sharefrom shareuid
sharetype shareid ut_sk tbsocialpopkey bxsign bd_vid qz_gdt gdt_vid hmsr hmpl hmcu hmkw hmci
itm_source itm_medium itm_campaign itm_content itm_term trk_contact trk_msg trk_module trk_sid
aff_id aff_platform aff_trace_key aff_fcid aff_fsk aff_short_key appuid xsec_source isappinstalled
nsukey
"""
_PREFIXES = (
    "utm_", "utm-", "mtm_", "pk_campaign", "pk_kwd", "pk_keyword", "pk_source", "pk_medium",
    "pk_content", "pk_cid", "piwik_", "matomo_", "hsa_", "at_custom", "at_campaign", "at_medium",
    "sc_campaign", "sc_channel", "sc_content", "sc_medium", "sc_outcome", "ga_source", "ga_medium",
    "ga_campaign", "ga_content", "ga_term", "gad_", "_hs", "__hs", "stm_", "_branch_", "hmb_",
    "ir_ad", "ir_campaign", "ir_partner", "pf_rd_", "pd_rd_", "bsft_", "elqtrack", "elqcampaign",
    "mt_campaign", "mt_medium", "awin", "vsbl_", "aff_sub", "cm_mmc", "wt_mc",
    "ns_source", "ns_mchannel", "ns_campaign", "ns_fee", "ns_linkname",
)  # fmt: skip


def without_tracking(query: str) -> str:
    """`query` (without its `?`) without the parameters that only track; the rest stays in order."""
    kept = (_without_first(pair) if _is_tracking(pair) else pair for pair in query.split("&"))
    return "&".join(pair for pair in kept if pair)


def _without_first(pair: str) -> str:
    """What follows a tracking parameter behind a semicolon, which parts them for some servers."""
    parts = pair.split(";")
    while parts and ("=" not in parts[0] or _is_tracking(parts[0])):
        parts.pop(0)
    return ";".join(parts)


def _is_tracking(pair: str) -> bool:
    name = pair.partition("=")[0].lower()
    if "%" in name:
        name = unquote(name).lower()
    return name in _names() or name.startswith(_PREFIXES)


@cache
def _names() -> frozenset[str]:
    return frozenset(_CONVENTIONS.split())
