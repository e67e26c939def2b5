// What Google's form service has and @types/google-apps-script does not know yet.
declare namespace GoogleAppsScript {
  namespace Forms {
    enum EmailCollectionType {
      DO_NOT_COLLECT,
      VERIFIED,
      RESPONDER_INPUT,
    }
    interface Form {
      getEmailCollectionType(): EmailCollectionType;
      setEmailCollectionType(type: EmailCollectionType): Form;
      isPublished(): boolean;
      setPublished(published: boolean): Form;
    }
    interface FormApp {
      EmailCollectionType: typeof EmailCollectionType;
    }
  }
}
