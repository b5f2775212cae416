"""The forms of the labeling pages: they parse and check what is typed; verbs decide."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from labeling import label_lists
from labeling.errors import Invalid
from labeling.models import Project, Role

STRATEGIES = [
    ("least_confidence", _("Least confident first")),
    ("mnlp", _("Least confident per token first")),
    ("margin", _("Smallest margin between the best two tags first")),
    ("entropy", _("Highest entropy first")),
    ("entity", _("Least sure of its entities first")),
    ("bald", _("Where passes with dropout disagree most first (slower)")),
    ("random", _("Random order")),
]
TOKENIZERS = [
    ("words", _("Words and punctuation (Chinese, Japanese, Thai: single characters)")),
    ("characters", _("Single characters everywhere")),
]
OWN_KEYS = set("axAXfcghis?/[]{} ")  # what static/js/annotate/keys.js needs itself


class PercentField(forms.FloatField):
    """A share between 0 and 1, typed as percent."""

    def __init__(self, *, most: int, **options: Any) -> None:
        super().__init__(min_value=0, max_value=most, **options)
        self.widget.attrs |= {"step": "any"}

    def prepare_value(self, value: Any) -> Any:
        """0.1 is shown as 10; what a person typed is shown again as it was."""
        return round(value * 100, 4) if isinstance(value, float) else value

    def clean(self, value: Any) -> Any:
        """10 becomes 0.1."""
        percent = super().clean(value)
        return None if percent is None else percent / 100


class ProjectForm(forms.ModelForm[Project]):
    """All settings of a project."""

    validation_share = PercentField(
        most=45, label=_("Validation share (%)"), help_text=_("Of new texts that bring no split of their own.")
    )
    test_share = PercentField(most=45, label=_("Test share (%)"), help_text=_("The rest is for training."))
    held_out_rate = PercentField(
        most=100,
        label=_("Held-out rate (%)"),
        help_text=_("How many of the texts that are served come from validation and test, without suggestions."),
    )
    query_strategy = forms.ChoiceField(
        choices=STRATEGIES, label=_("Order of training texts"), help_text=_("Which unlabeled texts come first.")
    )

    class Meta:
        model = Project
        fields = [
            "name", "guidelines", "tokenizer", "overlap", "review", "open_suggestions", "lease_minutes",
            "validation_share", "test_share",
            "query_strategy", "held_out_rate", "base_model", "retrain_hour", "retrain_min_new",
        ]  # fmt: skip
        labels = {
            "name": _("Name"), "guidelines": _("Guidelines"), "tokenizer": _("Tokenizer"),
            "overlap": _("Overlap"), "review": _("Review policy"), "lease_minutes": _("Lease (minutes)"),
            "base_model": _("Base model"), "retrain_hour": _("Retraining hour"),
            "retrain_min_new": _("Retraining threshold"),
            "open_suggestions": _("Suggestions still open at submission"),
        }  # fmt: skip
        help_texts = {
            "overlap": _("How many people label each text."),
            "lease_minutes": _("How long a text stays reserved for the person who opened it."),
            "tokenizer": _("How texts without tokens of their own are cut. Texts already imported keep their tokens."),
        }
        widgets = {"guidelines": forms.Textarea(attrs={"rows": 10})}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["tokenizer"].widget.choices = TOKENIZERS
        strategy = self.instance.query_strategy
        field = self.fields.get("query_strategy")
        if isinstance(field, forms.ChoiceField) and strategy not in dict(STRATEGIES):
            # Set over REST to one that this form does not know: keep it.
            field.choices = [*STRATEGIES, (strategy, strategy)]


class NewProjectForm(ProjectForm):
    """A new project: the settings that matter on the first day, and its labels."""

    labels = forms.CharField(
        label=_("Labels"),
        widget=forms.Textarea(
            attrs={
                "rows": 6,
                "spellcheck": "false",
                "placeholder": _("PER [p] #56b4e9 A person's name\nORG\nLOC, DATE"),
            }
        ),
        help_text=_(
            "One a line: the label, then its key in brackets, its color and its definition if you like. A list with "
            "commas, cells of a table and JSON can be pasted too. They can be changed later."
        ),
    )
    field_order = ["name", "labels", "guidelines", "tokenizer", "overlap", "review", "validation_share", "test_share"]

    class Meta(ProjectForm.Meta):
        fields = ["name", "guidelines", "tokenizer", "overlap", "review", "validation_share", "test_share"]
        widgets = {"guidelines": forms.Textarea(attrs={"rows": 6})}

    # A new project begins with these as they are by default.
    held_out_rate = None  # type: ignore[assignment]
    query_strategy = None  # type: ignore[assignment]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, instance=Project(), **kwargs)  # shows the defaults

    def clean_labels(self) -> list[dict[str, str]]:
        """The labels; complains about the line that cannot be one."""
        try:
            labels = label_lists.read(self.cleaned_data["labels"])
        except Invalid as error:
            raise forms.ValidationError(error.message) from error
        for label in labels:
            if label.get("hotkey") in OWN_KEYS:
                raise forms.ValidationError(
                    _("The key “%(key)s” belongs to the annotate page; choose another."),
                    params={"key": label["hotkey"]},
                )
        return labels


class LabelForm(forms.Form):
    """One label; rules about names and colors are the verb's."""

    name = forms.CharField(label=_("Name"), max_length=100, widget=forms.TextInput(attrs={"spellcheck": "false"}))
    color = forms.CharField(
        label=_("Color"), required=False, max_length=7, widget=forms.TextInput(attrs={"type": "color"})
    )
    hotkey = forms.CharField(
        required=False, max_length=1, label=_("Key"), strip=True, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    description = forms.CharField(label=_("Description"), required=False)

    def clean_hotkey(self) -> str:
        """A key that the annotate page does not need itself."""
        key = str(self.cleaned_data["hotkey"])
        if key in OWN_KEYS:
            raise forms.ValidationError(
                _("The key “%(key)s” belongs to the annotate page; choose another."), params={"key": key}
            )
        return key


class MemberForm(forms.Form):
    """A person to add, or to give another role."""

    username = forms.CharField(max_length=150, label=_("User name"))
    role = forms.ChoiceField(label=_("Role"), choices=Role.choices)
    password = forms.CharField(
        required=False,
        label=_("Password of a new account"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Only if the account does not exist yet."),
    )
